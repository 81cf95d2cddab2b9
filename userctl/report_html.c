// SPDX-License-Identifier: GPL-2.0
/*
 * A report as one page that needs nothing else: no script, no other file.
 *
 * What comes out of files passes html_text(); nothing else is written that was
 * not written here.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "chart.h"
#include "env.h"
#include "figure.h"
#include "layout.h"
#include "mkctl.h"
#include "report.h"
#include "table.h"

static const char *const style[] = {
	":root{color-scheme:light dark;--back:#fff;--text:#1a1a1a;--dim:#595959;",
	"--rule:#d4d4d4;--card:#f6f6f4;--warn:#8a3b00;--paper:#6f6f6f;--s0:#0072b2;",
	"--s1:#d55e00;--s2:#009e73;--s3:#b0508a;--s4:#a87400;--s5:#3a9bd1;--s6:#5b3c99;",
	"--s7:#111}",
	"@media(prefers-color-scheme:dark){:root{--back:#16181b;--text:#e8e6e3;--dim:#a8a6a2;",
	"--rule:#3c4045;--card:#1f2226;--warn:#ffb27a;--paper:#a0a0a0;--s0:#5aa9e6;",
	"--s1:#ff8a4c;--s2:#3ccf9e;--s3:#e79ac6;--s4:#f0c04a;--s5:#9bd8ff;--s6:#b79cf0;",
	"--s7:#f2f2f2}",
	"}*{box-sizing:border-box}",
	"body{margin:0 auto;padding:1.5rem;max-width:72rem;background:var(--back);",
	"color:var(--text);font:16px/1.5 system-ui,'DejaVu Sans',sans-serif}",
	"h1{font-size:1.7rem;margin:.2em 0}",
	"h2{margin:2.5em 0 .3em;padding-top:.6em;border-top:2px solid var(--rule);",
	"font-size:1.35rem}",
	"h2 code{font-size:1em}h3{margin:1.4em 0 .2em;font-size:1.08rem}",
	"h4{margin:1.2em 0 .3em;font-size:.95rem}p{margin:.4em 0;max-width:62rem}",
	"a{color:var(--s0)}",
	".answer{font-size:1.05rem;border-left:4px solid var(--s0);padding:.2em .8em;",
	"background:var(--card)}",
	".answer b{font-weight:600}.warn{color:var(--warn)}",
	".notes{white-space:pre-line;color:var(--dim);font-size:.88rem}.dim{color:var(--dim)}",
	"figure{margin:.6em 0 1.2em}.panels{display:flex;flex-wrap:wrap;gap:1rem}",
	".panels>div{flex:1 1 30rem;min-width:0;max-width:58rem}",
	"figcaption{color:var(--dim);font-size:.9rem}",
	"svg{width:100%;height:auto;display:block;background:var(--back)}",
	"svg text{fill:var(--text);font:16px 'DejaVu Sans',Verdana,sans-serif}",
	"svg .label{font-size:16.5px;font-weight:600}",
	"svg .remark{fill:var(--warn);font-size:14.5px}",
	".grid{stroke:var(--rule);stroke-width:1;fill:none}",
	".guide{stroke:var(--rule);stroke-width:1;stroke-dasharray:1 5;fill:none}",
	".series{fill:var(--c);stroke:var(--c)}",
	".line{fill:none;stroke-width:2.6;stroke-linejoin:round}",
	".range{stroke-width:2;opacity:.45;fill:none}.dashed .line{stroke-dasharray:7 5}",
	".series path:not(.line):not(.range){stroke:var(--back);stroke-width:1}",
	".dashed path:not(.line):not(.range){fill:var(--back)!important;",
	"stroke:var(--c)!important;stroke-width:2!important}",
	".paper{stroke:var(--paper);fill:var(--back);stroke-width:2}",
	".paper .line{fill:none;stroke-dasharray:3 4;stroke-width:2}.s0{--c:var(--s0)}",
	".s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}",
	".s5{--c:var(--s5)}.s6{--c:var(--s6)}.s7{--c:var(--s7)}.wide{overflow-x:auto}",
	"table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}",
	"th,td{padding:.18em .7em;text-align:left;border-bottom:1px solid var(--rule);",
	"vertical-align:top}",
	"td{overflow-wrap:anywhere}.n{text-align:right;white-space:nowrap}",
	"tr.differs td{background:var(--card);font-weight:600}.head{white-space:pre-line}",
	"tr>td:first-child{white-space:nowrap}details{margin:.5em 0}",
	"summary{cursor:pointer;color:var(--dim)}nav{columns:16rem}nav a{display:block}",
};

static void element(FILE *out, const char *name, const char *class, const char *text)
{
	fprintf(out, "<%s%s%s%s>", name, class ? " class=\"" : "",
		class ? class : "", class ? "\"" : "");
	html_text(out, text);
	fprintf(out, "</%s>\n", name);
}

const char **report_tests(const struct report *report, size_t *nr)
{
	const char **all = NULL, **tests;
	size_t nr_tests, i, j, k;

	*nr = 0;
	for (i = 0; i < report->nr; i++) {
		tests = table_tests(&report->runs[i].csv, &nr_tests);
		for (j = 0; j < nr_tests; j++) {
			for (k = 0; k < *nr; k++)
				if (!strcmp(all[k], tests[j]))
					break;
			if (k < *nr)
				continue;
			all = mkctl_grow(all, *nr + 1, sizeof(*all));
			all[(*nr)++] = tests[j];
		}
		free(tests);
	}
	if (*nr)
		qsort(all, *nr, sizeof(*all), table_compare_tests);
	return all;
}

/* One experiment under way: a part for each run, empty where it has none. */
struct section {
	const struct report *report;
	const char *test;
	struct groups *groups;
	char **remarks;
	FILE *out;
};

static int counts_only(const struct section *section, size_t run)
{
	return !!env_counts_only(section->report->runs[run].env);
}

/* A chart for each run that has values; returns whether there was one. */
static int write_figure(const struct section *section, const struct figure *figure)
{
	size_t nr = section->report->nr, with = 0, shown = 0, i, j;
	struct chart *charts = mkctl_alloc(nr * sizeof(*charts));
	FILE *out = section->out;
	int ours = 0, paper = 0;

	for (i = 0; i < nr; i++) {
		if (!section->groups[i].nr)
			continue;
		charts[i].remark = section->remarks[i];
		with += !!figure_chart(figure, &section->groups[i],
				       counts_only(section, i), &charts[i]);
	}
	if (with) {
		chart_fit(charts, nr);
		for (i = 0; i < nr; i++)
			shown += !!chart_points(&charts[i]);
		for (i = 0; i < nr; i++)
			charts[i].narrow = shown > 1;
		fputs("<figure id=\"", out);
		html_text(out, figure->id);
		fputs(strcmp(figure->id, "plain") ? "\">\n<h3>" : "-", out);
		if (!strcmp(figure->id, "plain")) {
			html_text(out, section->test);
			fputs("\">\n<h3>", out);
		}
		html_text(out, figure->title);
		fprintf(out, "</h3>\n<div class=\"panels\">\n");
		for (i = 0; i < nr; i++) {
			if (!chart_points(&charts[i]))
				continue;
			fputs("<div>", out);
			if (nr > 1)
				element(out, "p", "dim", section->report->runs[i].name);
			chart_svg(&charts[i], out);
			for (j = 0; j < charts[i].nr; j++)
				paper |= charts[i].series[j].paper;
			fputs("</div>\n", out);
			ours = 1;
		}
		fputs("</div>\n<figcaption>", out);
		if (figure->paper) {
			html_text(out, figure->paper);
			fputs(", repeated here. ", out);
		}
		if (figure->note) {
			html_text(out, figure->note);
			fputc(' ', out);
		}
		fprintf(out,
			"Marks are medians or single values; bars reach from p1 to p99, or over the repeats, and on where they end at the edge.%s</figcaption>\n</figure>\n",
			paper ? " Grey is the paper, in cycles of machines of 2005 to 2008." : "");
	}
	for (i = 0; i < nr; i++)
		chart_free(&charts[i]);
	free(charts);
	return ours;
}

static void write_figures(const struct section *section)
{
	const struct figure *figure = NULL;
	struct figure plain;
	int any = 0;
	size_t i;

	while ((figure = figure_next(figure, section->test)))
		any |= write_figure(section, figure);
	for (i = 0; i < section->report->nr && !any; i++)
		if (figure_plain(&plain, section->test, &section->groups[i],
				 counts_only(section, i)))
			any = write_figure(section, &plain);
	if (!any)
		element(section->out, "p", "dim",
			"No figure: there is nothing here that could be drawn.");
}

static void write_answers(const struct section *section)
{
	const struct report *report = section->report;
	size_t i;

	for (i = 0; i < report->nr; i++) {
		char *answer;

		if (!section->groups[i].nr)
			continue;
		answer = answer_of(section->test, &section->groups[i],
				   counts_only(section, i));
		if (!answer)
			continue;
		fputs("<p class=\"answer\">", section->out);
		if (report->nr > 1) {
			fputs("<b>", section->out);
			html_text(section->out, report->runs[i].name);
			fputs(":</b> ", section->out);
		}
		html_text(section->out, answer);
		if (section->remarks[i]) {
			fputs(" <span class=\"warn\">(", section->out);
			html_text(section->out, section->remarks[i]);
			fputs(")</span>", section->out);
		}
		fputs("</p>\n", section->out);
		free(answer);
	}
}

static void write_tables(const struct section *section)
{
	const struct report *report = section->report;
	size_t i;

	for (i = 0; i < report->nr; i++) {
		if (!section->groups[i].nr)
			continue;
		fputs("<details><summary>Tables: percentiles, sample counts, the control",
		      section->out);
		if (report->nr > 1) {
			fputs(": ", section->out);
			html_text(section->out, report->runs[i].name);
		}
		fputs("</summary>\n", section->out);
		table_html(section->out, &section->groups[i], report->runs[i].env,
			   section->test);
		fputs("</details>\n", section->out);
	}
}

static void write_section(const struct report *report, const char *test, FILE *out)
{
	struct section section = { .report = report, .test = test, .out = out };
	const char *title = layout_find(test)->title, *name;
	size_t i;

	section.groups = mkctl_alloc(report->nr * sizeof(*section.groups));
	section.remarks = mkctl_alloc(report->nr * sizeof(*section.remarks));
	for (i = 0; i < report->nr; i++) {
		name = csv_name(&report->runs[i].csv, test);
		if (name)
			section.groups[i] = table_groups(&report->runs[i].csv, name);
		if (section.groups[i].nr)
			section.remarks[i] = table_remark(&section.groups[i],
							  report->runs[i].env, test);
	}
	fputs("<section id=\"test-", out);
	html_text(out, test);
	fputs("\">\n<h2><code>", out);
	html_text(out, test);
	fputs("</code>", out);
	if (title)
		fprintf(out, ": %s", title);
	fputs("</h2>\n", out);
	write_answers(&section);
	write_figures(&section);
	write_tables(&section);
	fputs("</section>\n", out);
	for (i = 0; i < report->nr; i++) {
		groups_free(&section.groups[i]);
		free(section.remarks[i]);
	}
	free(section.groups);
	free(section.remarks);
}

/* --- where it was measured ----------------------------------------------------- */

/* More of one thing than anybody reads; the rest stands in env.json. */
#define MAX_ITEMS	64

/* As people write it: a list with commas, an object as "name: value; ...". */
static char *json_text(const json_t *value)
{
	char *text = NULL, *old, *part, *json;
	const char *key;
	json_t *item;
	size_t i;

	if (!value || json_is_null(value))
		return mkctl_printf("not known");
	if (json_is_string(value))
		return mkctl_printf("%s", *json_string_value(value) ?
				    json_string_value(value) : "none");
	json_array_foreach((json_t *)value, i, item) {
		part = i < MAX_ITEMS ? json_text(item) : mkctl_printf("and more");
		old = text;
		text = mkctl_printf("%s%s%s", old ? old : "",
				    !old ? "" : json_is_number(item) ? ", " : "; ", part);
		free(old);
		free(part);
		if (i == MAX_ITEMS)
			break;
	}
	i = 0;
	json_object_foreach((json_t *)value, key, item) {
		if (i++ == MAX_ITEMS)
			break;
		part = json_text(item);
		old = text;
		text = mkctl_printf("%s%s%s: %s", old ? old : "", old ? "; " : "", key, part);
		free(old);
		free(part);
	}
	if (text)
		return text;
	if (json_is_array(value) || json_is_object(value))
		return mkctl_printf("none");
	json = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	text = mkctl_printf("%s", json ? json : "not known");
	free(json);
	return text;
}

/* A value of env.json as text, "not known" for null and what is not there. */
static char *env_value(const json_t *env, const char *path)
{
	char *copy = mkctl_printf("%s", path), *save = NULL, *part;
	const json_t *value = env;

	for (part = strtok_r(copy, ".", &save); part && value;
	     part = strtok_r(NULL, ".", &save))
		value = json_object_get(value, part);
	free(copy);
	return json_text(value);
}

static char *nodes_value(const json_t *env, const char *path)
{
	json_t *nodes = json_object_get(json_object_get(env, "topology"), "nodes"), *node;
	char *all = mkctl_printf("%s", ""), *old, *cpus, *distance;
	size_t i;

	(void)path;
	json_array_foreach(nodes, i, node) {
		cpus = env_value(node, "cpus");
		distance = env_value(node, "distance");
		old = all;
		all = mkctl_printf("%s%s%zu: CPUs %s, distances %s", old, i ? "; " : "",
				   i, cpus, distance);
		free(old);
		free(cpus);
		free(distance);
	}
	if (*all)
		return all;
	free(all);
	return mkctl_printf("not known");
}

static const struct {
	const char *title, *path;
	char *(*value)(const json_t *env, const char *path);
} facts[] = {
	{ "modelled, not measured", "modelled", env_value },
	{ "CPU", "cpu.model", env_value },
	{ "CPU of the host", "host_cpu", env_value },
	{ "CPUs online", "cpu.online_list", env_value },
	{ "CPUs isolated", "cpu.isolated_list", env_value },
	{ "nodes", "", nodes_value },
	{ "emulated", "emulated", env_value },
	{ "hypervisor", "hypervisor", env_value },
	{ "times mean nothing because", "counts_only", env_value },
	{ "kernel", "kernel.release", env_value },
	{ "kernel's version", "kernel.version", env_value },
	{ "command line", "kernel.command_line", env_value },
	{ "mitigations", "mitigations", env_value },
	{ "frequency governor", "power.governor", env_value },
	{ "turbo off", "power.no_turbo", env_value },
	{ "boost", "power.boost", env_value },
	{ "idle driver", "power.idle_driver", env_value },
	{ "SMT", "power.smt_control", env_value },
	{ "huge pages", "kernel.thp", env_value },
	{ "NUMA balancing", "kernel.numa_balancing", env_value },
	{ "clock source", "kernel.clocksource", env_value },
	{ "clock, kHz", "clock.khz", env_value },
	{ "clock's overhead, cycles", "clock.overhead_cycles", env_value },
	{ "clock stable", "clock.stable", env_value },
	{ "load before", "load_before", env_value },
	{ "warnings", "warnings", env_value },
	{ "set for the run", "tuned", env_value },
	{ "module", "module.version", env_value },
	{ "module's source", "module.srcversion", env_value },
	{ "mkctl", "mkctl", env_value },
	{ "time", "time", env_value },
};

#define NR_FACTS (sizeof(facts) / sizeof(facts[0]))

static void write_environment(const struct report *report, FILE *out)
{
	char **values = mkctl_alloc(report->nr * sizeof(*values));
	int differs, known;
	size_t i, j;

	fputs("<section id=\"environment\">\n<h2>Where it was measured</h2>\n", out);
	if (report->nr > 1)
		element(out, "p", "dim", "Lines in which the runs differ are shaded.");
	fputs("<div class=\"wide\"><table>\n<tr><th></th>", out);
	for (j = 0; j < report->nr; j++)
		element(out, "th", NULL, report->runs[j].name);
	fputs("</tr>\n", out);
	for (i = 0; i < NR_FACTS; i++) {
		differs = 0;
		known = 0;
		for (j = 0; j < report->nr; j++) {
			values[j] = facts[i].value(report->runs[j].env, facts[i].path);
			differs |= strcmp(values[j], values[0]);
			known |= strcmp(values[j], "not known");
		}
		if (known || i < 2) {
			fprintf(out, "<tr%s><td>%s</td>",
				differs ? " class=\"differs\"" : "", facts[i].title);
			for (j = 0; j < report->nr; j++)
				element(out, "td", NULL, values[j]);
			fputs("</tr>\n", out);
		}
		for (j = 0; j < report->nr; j++)
			free(values[j]);
	}
	fputs("</table></div>\n</section>\n", out);
	free(values);
}

void report_html(const struct report *report, FILE *out)
{
	const char **tests;
	size_t nr, i;
	char *line;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<title>multikernel: report</title>\n<style>\n", out);
	for (i = 0; i < sizeof(style) / sizeof(style[0]); i++)
		fprintf(out, "%s\n", style[i]);
	fputs("</style>\n</head>\n<body>\n<h1>multikernel: what was measured</h1>\n", out);
	for (i = 0; i < report->nr; i++) {
		line = report->runs[i].env ? env_headline(report->runs[i].env) :
		       mkctl_printf("where this was measured is not recorded");
		fputs("<p class=\"head\"><b>", out);
		html_text(out, report->runs[i].name);
		fputs("</b>\n", out);
		html_text(out, line);
		fputs("</p>\n", out);
		free(line);
		if (env_counts_only(report->runs[i].env)) {
			fputs("<p class=\"warn\">Times mean nothing there and are left out: ",
			      out);
			html_text(out, env_counts_only(report->runs[i].env));
			fputs("</p>\n", out);
		}
	}
	tests = report_tests(report, &nr);
	fputs("<nav>\n", out);
	for (i = 0; i < nr; i++) {
		fputs("<a href=\"#test-", out);
		html_text(out, tests[i]);
		fputs("\">", out);
		html_text(out, tests[i]);
		fputs("</a>\n", out);
	}
	fputs("<a href=\"#environment\">Where it was measured</a>\n</nav>\n", out);
	for (i = 0; i < nr; i++)
		write_section(report, tests[i], out);
	if (!nr)
		element(out, "p", "warn", "no results");
	write_environment(report, out);
	fputs("</body>\n</html>\n", out);
	free(tests);
}
