/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results as plain text.
 */
#ifndef MKCTL_TABLE_H
#define MKCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "csv.h"

/* Rows of mkctl itself: what the module's counters gained in a run. */
#define VARIANT_COUNTERS	"counters"
/* Rows of the module about where it measured. */
#define VARIANT_ENVIRONMENT	"environment"

/*
 * A table per experiment; @env is what env.json says, NULL if there is none,
 * and @width the columns to keep to.
 */
void table_print(FILE *out, const struct csv *csv, const json_t *env, int width);

#endif /* MKCTL_TABLE_H */
