/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the messaging experiments share: CPU pairs, placement, busy CPUs.
 */
#ifndef MK_URPC_BENCH_H
#define MK_URPC_BENCH_H

#include "module/experiment.h"
#include "urpc/channel.h"

/**
 * enum mk_placement - on whose node a ring lies
 * @MK_PLACE_RECEIVER: the one that polls it (the default everywhere)
 * @MK_PLACE_SENDER: the one that writes it
 * @MK_PLACEMENTS: how many; as a choice, both in turn
 */
enum mk_placement {
	MK_PLACE_RECEIVER,
	MK_PLACE_SENDER,
	MK_PLACEMENTS
};

extern const char *const mk_placement_choices[];
extern const char *const mk_pairs_choices[];

/**
 * struct mk_pair_set - the CPU pairs of an experiment
 * @nr: how many
 * @cpu: the pairs, in ordered form
 */
struct mk_pair_set {
	unsigned int nr;
	int (*cpu)[2];
};

/**
 * struct mk_spin - a CPU kept busy in its monitor
 * @call: the function that spins
 * @stop: set to end it
 */
struct mk_spin {
	struct mk_call call;
	int stop;
};

/**
 * struct mk_series - samples of one thing between two CPUs
 * @run: the run it belongs to
 * @key: of its rows; the samples are taken in the monitor of cpu_a
 * @samples: to take
 * @warmup: to take before them, and forget
 * @ep: for messages: the endpoint on cpu_a
 * @reply: for messages: where the reply goes
 * @there: set by the sample: when it arrived at cpu_b, 0 if unknown
 * @arg: for the sample
 * @prepare: called before each sample, outside of its time; may be NULL
 * @sample: what is measured
 * @round_trip: cycles of each sample
 * @one_way: cycles from the start to @there
 *
 * Both functions run in the port's thread and return 0 or a negative errno,
 * which ends the series.
 */
struct mk_series {
	struct mk_run *run;
	struct mk_key key;
	u32 samples, warmup;
	struct mk_endpoint *ep;
	struct mk_message reply;
	u64 there;
	void *arg;
	int (*prepare)(struct mk_port *port, struct mk_series *series);
	int (*sample)(struct mk_port *port, struct mk_series *series);
	u64 *round_trip, *one_way;
};

/*
 * The parameters that every experiment made of series has, and where they are;
 * an experiment's own follow from MK_SERIES_OWN on.
 */
enum {
	MK_SERIES_SAMPLES,
	MK_SERIES_WARMUP,
	MK_SERIES_REPEATS,
	MK_SERIES_PAIRS,
	MK_SERIES_CPUS,
	MK_SERIES_OWN
};

#define MK_PARAM_SAMPLES(number) {					\
	.name = "samples", .help = "samples per row",			\
	.kind = MK_PARAM_U32, .min = 16, .max = 100000, .def = (number),	\
}

#define MK_PARAM_WARMUP(number) {					\
	.name = "warmup", .help = "samples before them, thrown away",	\
	.kind = MK_PARAM_U32, .min = 0, .max = 100000, .def = (number),	\
}

#define MK_PARAM_REPEATS(number) {					\
	.name = "repeats", .help = "rounds over everything",		\
	.kind = MK_PARAM_U32, .min = 1, .max = 100, .def = (number),	\
}

#define MK_PARAM_PAIRS {						\
	.name = "pairs",						\
	.help = "one pair for each tier and distance, or all",		\
	.kind = MK_PARAM_CHOICE, .choices = mk_pairs_choices,		\
}

#define MK_PARAM_CPU_LIST {						\
	.name = "cpus", .help = "CPUs to choose pairs from",		\
	.kind = MK_PARAM_CPUS,						\
}

int mk_series_sweep(struct mk_run *run, void *arg,
		    int (*pair)(struct mk_series *series, const int cpu[2]));
int mk_series_take(struct mk_series *series);
int mk_series_report(struct mk_series *series);
int mk_series_asleep(struct mk_port *port, struct mk_series *series);
int mk_series_report_control(struct mk_series *series);
int mk_series_control(struct mk_port *port, struct mk_series *series);
int mk_series_ping(struct mk_port *port, struct mk_series *series);

bool mk_place_chosen(u32 choice, enum mk_placement placement,
		     const int cpu[2]);
int mk_bench_pairs(struct mk_pair_set *set, const struct cpumask *cpus,
		   bool all);
void mk_bench_pairs_free(struct mk_pair_set *set);
struct mk_channel *mk_bench_channel(const int cpu[2],
				    enum mk_placement placement, u32 slots,
				    u32 ack_every);
u64 mk_bench_rate(u64 messages, u64 cycles);
int mk_bench_step(const struct mk_run *run);
int mk_bench_spin_start(struct mk_spin *spin, int cpu);
void mk_bench_spin_stop(struct mk_spin *spin);
void mk_bench_handlers(void);

#endif /* MK_URPC_BENCH_H */
