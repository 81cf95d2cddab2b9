// SPDX-License-Identifier: GPL-2.0
/*
 * What a monitor does for a process that calls it through a door.
 *
 * A call comes as a copy, which nobody else can change, and the answer is made in
 * its place. No service blocks, polls, or takes long.
 */
#include "module/clock.h"
#include "module/door.h"
#include "module/monitor.h"
#include "urpc/port.h"

static u32 mk_serve_time(struct mk_port *port, void *answer)
{
	struct mk_service_time *time = answer;

	time->cycles = mk_cycles();
	time->cpu = port->cpu;
	time->node = port->node;
	return sizeof(*time);
}

static u32 mk_serve_look(struct mk_port *port, void *answer, u32 doors)
{
	const struct mk_counters *count = &port->count;
	struct mk_service_look *look = answer;

	look->cpu = port->cpu;
	look->node = port->node;
	look->channels = port->nr_endpoints;
	look->doors = doors;
	look->poll_cycles = mk_monitor_cpu_poll_cycles(port->cpu);
	look->messages_sent = count->messages_sent;
	look->messages_received = count->messages_received;
	look->polls = count->polls;
	look->blocks = count->blocks;
	look->wakes = count->wakes;
	look->bells = count->bells;
	look->parks = count->parks;
	look->works = count->works;
	look->idle_cycles = count->idle_cycles;
	look->ipis = count->ipis;
	return sizeof(*look);
}

/**
 * mk_service_answer() - do what a call asks for
 * @port: of the monitor; the caller is its thread
 * @message: the call; its payload becomes the answer
 * @bytes: of the call
 * @doors: how many the monitor has
 *
 * Context: the port's thread; from ->poll.
 * Return: the bytes of the answer, at least one.
 */
u32 mk_service_answer(struct mk_port *port, struct mk_message *message,
		      u32 bytes, u32 doors)
{
	struct mk_service_call *call = (void *)message->word;
	struct mk_service_answer *answer = (void *)message->word;
	u32 service = bytes < sizeof(*call) ? MK_SERVICES : call->service;
	s32 error = 0;

	BUILD_BUG_ON(sizeof(struct mk_service_look) > sizeof(message->word));
	if (bytes < sizeof(*call) || call->reserved || service >= MK_SERVICES) {
		error = -EINVAL;
		bytes = sizeof(*answer);
	} else if (service == MK_SERVICE_TIME) {
		bytes = mk_serve_time(port, answer);
	} else if (service == MK_SERVICE_LOOK) {
		bytes = mk_serve_look(port, answer, doors);
	}
	/* What MK_SERVICE_ECHO sends back is there. */
	answer->error = error;
	answer->service = service;
	return bytes;
}
