// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be known about a table: where it was measured, whether it is
 * complete, what was counted and set.
 */
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "mkctl.h"
#include "runner.h"
#include "table.h"
#include "table_priv.h"

/* A list that goes on over lines: "title: a, b, c". */
struct flow {
	FILE *out;
	const char *title;
	int width, column;
};

static void flow_item(struct flow *flow, char *item)
{
	int len = strlen(item);

	if (!flow->column) {
		flow->column = fprintf(flow->out, "%s: ", flow->title);
	} else if (flow->column + len + 3 > flow->width) {
		fputs(",\n  ", flow->out);
		flow->column = 2;
	} else {
		flow->column += fprintf(flow->out, ", ");
	}
	flow->column += fprintf(flow->out, "%s", item);
	free(item);
}

static void flow_end(struct flow *flow)
{
	if (flow->column)
		fputc('\n', flow->out);
}

/* Totals of what the module counted, those that moved. */
void print_counters(const struct table *table)
{
	struct flow flow = { table->out, "counted over the run", table->width, 0 };
	const struct group *group;
	char *number;
	size_t i;

	for (i = 0; i < table->groups.nr; i++) {
		group = &table->groups.list[i];
		if (strcmp(group->key->variant, VARIANT_COUNTERS) ||
		    group->key->cpu_a != CSV_NONE || !group->has_middle)
			continue;
		number = grid_number(group->middle);
		flow_item(&flow, mkctl_printf("%s %s", group->metric, number));
		free(number);
	}
	flow_end(&flow);
}

/* A number with its unit, or the word that the unit is. */
static char *setting_text(const struct group *group, const char *name)
{
	const char *unit = group->unit;
	char *number = grid_number(group->middle), *text;

	if (!strcmp(unit, "number") || !*unit)
		text = mkctl_printf("%s %s", name, number);
	else if (!strcmp(unit, "bool"))
		text = mkctl_printf("%s %s", name, group->middle != 0 ? "yes" : "no");
	else if (!strcmp(unit, "cpus"))
		text = mkctl_printf("%s %s", name, number);
	else if (is_time(unit) || !strcmp(unit, "khz"))
		text = mkctl_printf("%s %s %s", name, number, unit);
	else
		text = mkctl_printf("%s %s", name, unit);
	free(number);
	return text;
}

/* What the run stood on, from the rows of the module itself. */
void print_settings(const struct table *table)
{
	struct flow flow = { table->out, "run with", table->width, 0 };
	const struct csv_row *key;
	const char *name;
	size_t i;

	for (i = 0; i < table->groups.nr; i++) {
		key = table->groups.list[i].key;
		name = table->groups.list[i].metric;
		if (strcmp(key->variant, VARIANT_ENVIRONMENT) ||
		    key->cpu_a != CSV_NONE || key->mem_node != CSV_NONE ||
		    !table->groups.list[i].has_middle ||
		    !strcmp(name, "emulated") || !strcmp(name, "status"))
			continue;
		if (!strncmp(name, "param_", 6))
			name += 6;
		flow_item(&flow, setting_text(&table->groups.list[i], name));
	}
	flow_end(&flow);
}

/* The module ends a run with a row that says how it ended. */
static void print_incomplete(const struct table *table)
{
	const char *status = env_status(table->env, table->test);
	const struct group *group = environment(table, "status");

	if (status && strcmp(status, "done"))
		fprintf(table->out, "not complete: %s\n", status);
	else if (!group)
		fprintf(table->out,
			"not complete: the row that ends a run is missing\n");
	else if (group->high != 0 || group->middle != 0)
		fprintf(table->out, "not complete: %s\n",
			runner_reason(group->middle));
}

/* "tcg", "kvm", …, NULL where nobody says. */
static const char *machine_of(const struct table *table)
{
	const struct group *group = environment(table, "hypervisor");
	const char *machine = env_machine(table->env);

	if (!machine && group && *group->unit)
		machine = group->unit;
	return machine;
}

/* Are there rows of the model, and is there anything else? */
static void find_modelled(const struct table *table, int *modelled, int *measured)
{
	size_t i;

	*modelled = 0;
	*measured = 0;
	for (i = 0; i < table->groups.nr; i++) {
		if (is_modelled(&table->groups.list[i]))
			*modelled = 1;
		else if (!is_special(&table->groups.list[i]))
			*measured = 1;
	}
}

/* Where it was measured; NULL on a machine of its own. */
static char *measured_text(const struct table *table)
{
	const struct group *emulated = environment(table, "emulated");
	const char *machine = machine_of(table);

	if (!emulated)
		return mkctl_printf("whether this was measured under emulation is not recorded");
	if (emulated->middle != 0 || emulated->high != 0)
		return mkctl_printf("measured under emulation (%s): %s",
				    machine ? machine : "by what is not recorded",
				    "cycles are not those of hardware");
	if (machine && strcmp(machine, "none"))
		return mkctl_printf("measured in a virtual machine (%s)", machine);
	return NULL;
}

/* What nobody may overlook; NULL on a machine of its own. */
char *remark_text(const struct table *table)
{
	int modelled, measured;
	char *text, *both;

	find_modelled(table, &modelled, &measured);
	if (modelled && !measured)
		return mkctl_printf("modelled, not measured");
	text = measured_text(table);
	if (!modelled)
		return text;
	both = mkctl_printf("rows of tier %s are modelled, not measured%s%s", TIER_MODEL,
			    text ? "; the others: " : "", text ? text : "");
	free(text);
	return both;
}

void print_head(const struct table *table)
{
	char *remark = remark_text(table);

	/* In a page this stands above the figures. */
	if (!table->html)
		fprintf(table->out, "%s%s%s\n", table->test,
			table->layout->title ? ": " : "",
			table->layout->title ? table->layout->title : "");
	if (remark)
		fprintf(table->out, "%s\n", remark);
	free(remark);
	print_incomplete(table);
}
