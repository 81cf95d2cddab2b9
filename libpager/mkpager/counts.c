// SPDX-License-Identifier: GPL-2.0
/*
 * What the pagers have done, as a table: a line for each node.
 */
#include <stddef.h>
#include <stdio.h>

#include "mkpager.h"

static const struct {
	const char *name;
	size_t at;
} column[] = {
#define COLUMN(name)	{ #name, offsetof(struct pager_counts, name) }
	COLUMN(requests), COLUMN(answers), COLUMN(refusals), COLUMN(frames),
	COLUMN(freed), COLUMN(copies), COLUMN(unmaps), COLUMN(waits),
	COLUMN(messages), COLUMN(sleeps), COLUMN(mended), COLUMN(notices),
	COLUMN(opens),
};

#define COLUMNS	(sizeof(column) / sizeof(*column))

void counts_print(const struct pager_group *group)
{
	struct pager_counts counts;
	size_t i;
	int node;

	fprintf(stderr, "node");
	for (i = 0; i < COLUMNS; i++)
		fprintf(stderr, " %9s", column[i].name);
	fprintf(stderr, "\n");
	for (node = 0; node < PAGER_NODES_MAX; node++) {
		if (!(pager_group_nodes(group) >> node & 1) ||
		    pager_group_counts(group, node, &counts))
			continue;
		fprintf(stderr, "%4d", node);
		for (i = 0; i < COLUMNS; i++)
			fprintf(stderr, " %9llu", *(unsigned long long *)
				((char *)&counts + column[i].at));
		fprintf(stderr, "\n");
	}
}
