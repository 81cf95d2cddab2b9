/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of the machine spoils a measurement: said, or set for the run.
 */
#ifndef MKCTL_TUNE_H
#define MKCTL_TUNE_H

#include <jansson.h>
#include <stddef.h>

struct tune_change {
	char *path, *old;
};

/**
 * struct tune - what was set
 * @root: put before /proc, /sys and /dev: "" for this host, or a copy of it
 * @changes: what to put back
 * @nr: how many
 * @latency: open while CPUs must not sleep deeply, -1 if not
 */
struct tune {
	const char *root;
	struct tune_change *changes;
	size_t nr;
	int latency;
};

void tune_init(struct tune *tune, const char *root);

/*
 * Set what can be set; what was set goes into @env as "tuned". What cannot is
 * said on stderr and stays as it is.
 */
void tune_apply(struct tune *tune, json_t *env);

/* Say what spoils the measurement and how to mend it, on stderr and in @env. */
void tune_warn(const struct tune *tune, json_t *env);

/* Put everything back; 0, or -1 after saying what could not be. */
int tune_restore(struct tune *tune);

#endif /* MKCTL_TUNE_H */
