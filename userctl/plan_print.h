/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plans for people, programs and graphviz.
 */
#ifndef MKCTL_PLAN_PRINT_H
#define MKCTL_PLAN_PRINT_H

#include <stdio.h>

#include "urpc/plan.h"

/**
 * struct plan_result - what was asked for
 * @task: what was planned
 * @plan: what came out
 * @by: the strategies' plans, or NULL
 * @error: of each strategy, 0 or -errno
 */
struct plan_result {
	const struct mk_plan_task *task;
	struct mk_plan plan;
	struct mk_plan *by;
	int error[MK_PLAN_STRATEGIES];
};

void plan_text(FILE *file, const struct plan_result *result);
void plan_json(FILE *file, const struct plan_result *result);
void plan_dot(FILE *file, const struct plan_result *result);

#endif /* MKCTL_PLAN_PRINT_H */
