// SPDX-License-Identifier: GPL-2.0
/*
 * Experiment shm_vs_msg: what it costs to update 1, 2, 4 or 8 cache lines that
 * several CPUs update, by shared memory or by asking the one CPU that owns them
 * (Baumann et al., SOSP 2009, figure 3).
 *
 * The size column is the number of clients, all of them at it at once.
 *
 * Variants:
 *	SHM1 … SHM8	every client writes the lines itself, without a lock:
 *			the coherence protocol alone
 *	MSG1 … MSG8	every client calls the server, which writes them
 *	server1 … 8	what the server spent on the update itself
 *	control		as SHM8, each client on eight lines of its own
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "module/clock.h"
#include "urpc/bench.h"

#define MK_SHM_LINES	8

enum {
	P_SAMPLES,
	P_REPEATS,
	P_LINES,
	P_CLIENTS,
	P_CPUS,
};

static const struct mk_param params[] = {
	[P_SAMPLES] = {
		.name = "samples", .help = "measured updates per client",
		.kind = MK_PARAM_U32, .min = 16, .max = 10000, .def = 500,
	},
	[P_REPEATS] = MK_PARAM_REPEATS(3),
	[P_LINES] = {
		.name = "lines", .help = "lines per update; 0 sweeps 1, 2, 4, 8",
		.kind = MK_PARAM_U32, .min = 0, .max = MK_SHM_LINES, .def = 0,
	},
	[P_CLIENTS] = {
		.name = "clients",
		.help = "clients at once, as far as there are CPUs; 0 sweeps",
		.kind = MK_PARAM_U32, .min = 0, .max = 4096, .def = 0,
	},
	[P_CPUS] = {
		.name = "cpus", .help = "CPUs of the clients and, first, the server",
		.kind = MK_PARAM_CPUS,
	},
};

struct mk_shm;

/**
 * struct mk_client - one client
 * @shm: what it takes part in
 * @call: its function, in its CPU's monitor
 * @cpu: the CPU
 * @lines: that it writes
 * @ep: endpoint to the server, if it asks
 * @channel: of it
 * @reply: of the server
 * @cycles: its samples
 * @server: what the server spent on each
 */
struct mk_client {
	struct mk_shm *shm;
	struct mk_call call;
	int cpu;
	struct mk_line *lines;
	struct mk_endpoint *ep;
	struct mk_channel *channel;
	struct mk_message reply;
	u64 *cycles, *server;
};

/**
 * struct mk_shm - the experiment
 * @run: the run
 * @key: of the rows
 * @samples: per client
 * @nr_lines: per update
 * @clients: clients now
 * @max_clients: clients there is room for
 * @client: them
 * @shared: the lines they share
 * @cycles: samples of all clients, one after the other
 * @server: likewise
 * @arrived: how many are ready to begin
 */
struct mk_shm {
	struct mk_run *run;
	struct mk_key key;
	u32 samples, nr_lines, clients, max_clients;
	struct mk_client *client;
	struct mk_line *shared;
	u64 *cycles, *server;
	atomic_t arrived;
};

/* The server's own lines; written in its monitor alone. */
static struct mk_line mk_server_lines[MK_SHM_LINES];

static void mk_lines_update(struct mk_line *line, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(line[i].word[0], READ_ONCE(line[i].word[0]) + 1);
}

/* UPDATE: word 0 says how many lines; the answer, what it took. */
static void mk_handle_update(struct mk_endpoint *ep,
			     const struct mk_message *msg)
{
	u64 word[MK_LINE_WORDS] = { 0 };
	u64 start = mk_cycles();

	mk_lines_update(mk_server_lines, min_t(u64, msg->word[0],
					       MK_SHM_LINES));
	word[0] = mk_clock_span(start, mk_cycles());
	mk_endpoint_reply(ep, msg, word, 1);
}

/* All clients begin together, or none does. */
static int mk_client_meet(struct mk_port *port, struct mk_shm *shm)
{
	int err = 0;

	atomic_inc(&shm->arrived);
	while (!err && atomic_read(&shm->arrived) < shm->clients) {
		mk_port_poll(port);
		cpu_relax();
		err = mk_bench_step(shm->run);
	}
	return err;
}

static int mk_client_write(struct mk_port *port, void *arg)
{
	struct mk_client *client = arg;
	struct mk_shm *shm = client->shm;
	u64 start;
	int err;
	u32 i;

	err = mk_client_meet(port, shm);
	for (i = 0; i < shm->samples && !err; i++) {
		start = mk_cycles();
		mk_lines_update(client->lines, shm->nr_lines);
		client->cycles[i] = mk_clock_span(start, mk_cycles());
		err = mk_bench_step(shm->run);
	}
	return err;
}

static int mk_client_ask(struct mk_port *port, void *arg)
{
	struct mk_client *client = arg;
	struct mk_shm *shm = client->shm;
	u64 word[MK_LINE_WORDS] = { shm->nr_lines };
	u64 start;
	int err;
	u32 i;

	err = mk_client_meet(port, shm);
	for (i = 0; i < shm->samples && !err; i++) {
		start = mk_cycles();
		err = mk_endpoint_rpc(client->ep, MK_TYPE_UPDATE, word, 1,
				      &client->reply);
		client->cycles[i] = mk_clock_span(start, mk_cycles());
		client->server[i] = err ? 0 : client->reply.word[0];
		if (!err)
			err = mk_bench_step(shm->run);
	}
	return err;
}

/* Have all clients do it, and wait for every one that began. */
static int mk_clients_run(struct mk_shm *shm,
			  int (*fn)(struct mk_port *port, void *arg))
{
	int err = 0, ret;
	u32 i, started;

	atomic_set(&shm->arrived, 0);
	for (started = 0; started < shm->clients; started++) {
		struct mk_client *client = &shm->client[started];

		err = mk_port_start(client->cpu, &client->call, fn, client);
		if (err)
			break;
	}
	/* Who waits for a client that never comes is let go. */
	if (err)
		atomic_set(&shm->arrived, shm->clients);
	for (i = 0; i < started; i++) {
		ret = mk_port_wait(&shm->client[i].call);
		err = err ?: ret;
	}
	return err;
}

static int mk_clients_report(struct mk_shm *shm, const char *kind, u64 *samples)
{
	char variant[16];

	snprintf(variant, sizeof(variant), kind, shm->nr_lines);
	shm->key.variant = variant;
	shm->key.size = shm->clients;
	return mk_run_samples(shm->run, &shm->key, "cost", "cycles", samples,
			      (size_t)shm->clients * shm->samples);
}

static int mk_shm_write(struct mk_shm *shm, bool shared)
{
	int err;
	u32 i;

	for (i = 0; i < shm->clients; i++)
		shm->client[i].lines = shared ? shm->shared :
			shm->shared + (i + 1) * MK_SHM_LINES;
	shm->key.cpu_a = shm->client[0].cpu;
	shm->key.cpu_b = -1;
	err = mk_clients_run(shm, mk_client_write);
	return err ?: mk_clients_report(shm, shared ? "SHM%u" : "control",
					shm->cycles);
}

/* The server is the first CPU; clients are the others, if there are any. */
static int mk_shm_ask(struct mk_shm *shm, int server)
{
	int err = 0, ret;
	u32 i, open;

	for (open = 0; open < shm->clients; open++) {
		struct mk_client *client = &shm->client[open];
		int cpu[2] = { client->cpu, server };

		client->channel = mk_bench_channel(cpu, MK_PLACE_RECEIVER, 0,
						   0);
		if (IS_ERR(client->channel)) {
			err = PTR_ERR(client->channel);
			break;
		}
		client->ep = client->channel->end[0];
	}
	shm->key.cpu_a = shm->client[0].cpu;
	shm->key.cpu_b = server;
	if (!err)
		err = mk_clients_run(shm, mk_client_ask);
	for (i = 0; i < open; i++) {
		ret = mk_channel_close(shm->client[i].channel);
		err = err ?: ret;
	}
	err = err ?: mk_clients_report(shm, "MSG%u", shm->cycles);
	return err ?: mk_clients_report(shm, "server%u", shm->server);
}

/* The first @n CPUs of the list, from the @skip-th on. */
static void mk_clients_place(struct mk_shm *shm, const struct cpumask *cpus,
			     u32 skip, u32 n)
{
	u32 i = 0;
	int cpu;

	shm->clients = n;
	for_each_cpu(cpu, cpus) {
		if (skip) {
			skip--;
			continue;
		}
		if (i == n)
			break;
		shm->client[i++].cpu = cpu;
	}
}

static int mk_shm_clients(struct mk_shm *shm, const struct cpumask *cpus, u32 n)
{
	u32 only = mk_run_u32(shm->run, P_LINES);
	u32 cpus_nr = cpumask_weight(cpus);
	u32 lines;
	int err = 0;

	for (lines = only ?: 1; lines <= (only ?: MK_SHM_LINES) && !err;
	     lines *= 2) {
		shm->nr_lines = lines;
		mk_clients_place(shm, cpus, 0, n);
		err = mk_shm_write(shm, true);
		/* On a single CPU the server answers itself. */
		if (!err && (n < cpus_nr || cpus_nr == 1)) {
			mk_clients_place(shm, cpus, cpus_nr > 1, n);
			err = mk_shm_ask(shm, cpumask_first(cpus));
		}
	}
	if (err)
		return err;
	shm->nr_lines = MK_SHM_LINES;
	mk_clients_place(shm, cpus, 0, n);
	return mk_shm_write(shm, false);
}

/* 1, 2, … 8, and from there on by a quarter more, up to @max itself. */
static u32 mk_clients_next(u32 n, u32 max)
{
	if (n >= max)
		return max + 1;
	return min(n < 8 ? n + 1 : n + n / 4, max);
}

static int mk_shm_alloc(struct mk_shm *shm, int node)
{
	size_t n = (size_t)shm->max_clients * shm->samples;
	u32 i;

	shm->client = kvcalloc(shm->max_clients, sizeof(*shm->client),
			       GFP_KERNEL);
	shm->shared = kvzalloc_node((shm->max_clients + 1) * MK_SHM_LINES *
				    sizeof(struct mk_line), GFP_KERNEL, node);
	shm->cycles = kvmalloc_array(n, sizeof(u64), GFP_KERNEL);
	shm->server = kvmalloc_array(n, sizeof(u64), GFP_KERNEL);
	if (!shm->client || !shm->shared || !shm->cycles || !shm->server)
		return -ENOMEM;
	for (i = 0; i < shm->max_clients; i++) {
		shm->client[i].shm = shm;
		shm->client[i].cycles = shm->cycles + (size_t)i * shm->samples;
		shm->client[i].server = shm->server + (size_t)i * shm->samples;
	}
	return 0;
}

static int mk_shm_run(struct mk_run *run)
{
	const struct cpumask *cpus = mk_run_cpus(run, P_CPUS);
	u32 repeats = mk_run_u32(run, P_REPEATS);
	u32 only = mk_run_u32(run, P_CLIENTS);
	struct mk_shm shm = {
		.run = run,
		.samples = mk_run_u32(run, P_SAMPLES),
		.max_clients = cpumask_weight(cpus),
	};
	u32 n, last;
	int err;

	mk_handler_set(MK_TYPE_UPDATE, mk_handle_update);
	shm.key.mem_node = cpu_to_node(cpumask_first(cpus));
	last = min(only ?: shm.max_clients, shm.max_clients);
	err = mk_shm_alloc(&shm, shm.key.mem_node);
	for (; !err && shm.key.repeat < repeats; shm.key.repeat++) {
		for (n = only ? last : 1; n <= last && !err;
		     n = mk_clients_next(n, last)) {
			err = mk_shm_clients(&shm, cpus, n);
			mk_run_progress(run, shm.key.repeat * last + n,
					repeats * last);
		}
	}

	kvfree(shm.server);
	kvfree(shm.cycles);
	kvfree(shm.shared);
	kvfree(shm.client);
	return err;
}

const struct mk_experiment mk_exp_shm_vs_msg = {
	.name = "shm_vs_msg",
	.help = "cost of updating shared lines, by shared memory and by message (SOSP'09 figure 3)",
	.params = params,
	.nr_params = ARRAY_SIZE(params),
	.run = mk_shm_run,
};
