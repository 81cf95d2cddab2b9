// SPDX-License-Identifier: GPL-2.0
/*
 * Figures from papers, to set beside what was measured.
 *
 * Cycles of machines of 2005 to 2008. One table, so that each figure has one
 * place and a source; a figure that was read off a plot says so.
 */
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "mkctl.h"
#include "paper.h"

enum source { TABLE_2, FIGURE_3, FIGURE_6, FIGURE_7, SECTION_5_2 };

#define SOSP09 "Baumann et al., The Multikernel, SOSP 2009, "

static const char *const sources[] = {
	[TABLE_2] = SOSP09 "table 2",
	[FIGURE_3] = SOSP09 "figure 3, read off the plot",
	[FIGURE_6] = SOSP09 "figure 6, read off the plot",
	[FIGURE_7] = SOSP09 "figure 7, read off the plot",
	[SECTION_5_2] = SOSP09 "section 5.2",
};

#define LATENCY(tier, value, machine) \
	{ "urpc_latency", "urpc*", tier, "one_way", -1, value, machine, TABLE_2 }

/* The paper's pipelined throughput is at a queue of 16 messages. */
#define THROUGHPUT(tier, value, machine) \
	{ "urpc_throughput", "urpc*", tier, "throughput", 16, value, machine, TABLE_2 }

#define SHOOTDOWN(variant, value) \
	{ "shootdown_protocols", variant, NULL, "cost", 32, value, "8x4 AMD, 32 cores", FIGURE_6 }

#define UNMAP(variant, cores, value, machine) \
	{ "unmap", variant, NULL, "cost", cores, value, machine, FIGURE_7 }

static const struct paper_figure figures[] = {
	LATENCY("T2", 180, "2x4 Intel, shared cache"),
	LATENCY("T2", 450, "2x2 AMD, same die"),
	LATENCY("T2", 448, "4x4 AMD, shared cache"),
	LATENCY("T2", 538, "8x4 AMD, shared cache"),
	LATENCY("T3", 570, "2x4 Intel, cache not shared"),
	LATENCY("T3", 532, "2x2 AMD, one hop"),
	LATENCY("T3", 545, "4x4 AMD, one hop"),
	LATENCY("T3", 558, "4x4 AMD, two hops"),
	LATENCY("T3", 613, "8x4 AMD, one hop"),
	LATENCY("T3", 618, "8x4 AMD, two hops"),
	THROUGHPUT("T2", 11.97, "2x4 Intel, shared cache"),
	THROUGHPUT("T2", 3.42, "2x2 AMD, same die"),
	THROUGHPUT("T3", 3.78, "2x4 Intel, cache not shared"),
	THROUGHPUT("T3", 3.19, "2x2 AMD, one hop"),
	THROUGHPUT("T3", 2.75, "8x4 AMD, two hops"),
	{ "shm_vs_msg", "SHM8", NULL, "cost", 16, 12000,
	  "4x4 AMD, extra cycles at 16 cores", FIGURE_3 },
	{ "notify", "block", NULL, "handoff", -1, 6000, "handoff (C)", SECTION_5_2 },
	SHOOTDOWN("broadcast", 13800),
	SHOOTDOWN("unicast", 12700),
	SHOOTDOWN("multicast", 4800),
	SHOOTDOWN("numa_multicast", 3100),
	UNMAP("numa_multicast", 2, 10300, "8x4 AMD, Barrelfish, 2 cores"),
	UNMAP("numa_multicast", 32, 17500, "8x4 AMD, Barrelfish, 32 cores"),
	UNMAP("linux", 2, 5200, "8x4 AMD, 2 cores"),
	UNMAP("linux", 32, 29500, "8x4 AMD, 32 cores"),
	UNMAP("windows", 2, 5800, "8x4 AMD, 2 cores"),
	UNMAP("windows", 32, 46000, "8x4 AMD, 32 cores"),
};

#define NR_FIGURES (sizeof(figures) / sizeof(figures[0]))

int paper_match(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, text, len - 1);
	return !strcmp(pattern, text);
}

/* Half a round trip stands for one way where clocks cannot be compared. */
static int same_metric(const char *paper, const char *ours)
{
	return !strcmp(paper, ours) ||
	       (!strcmp(paper, "one_way") && !strcmp(ours, "half_trip"));
}

const struct paper_figure *paper_next(const struct paper_figure *last,
				      const char *test, const char *metric)
{
	const struct paper_figure *f = last ? last + 1 : figures;

	for (; f < figures + NR_FIGURES; f++)
		if (!strcmp(f->test, test) && same_metric(f->metric, metric))
			return f;
	return NULL;
}

const char *paper_source(const struct paper_figure *figure)
{
	return sources[figure->source];
}

size_t paper_find(const char *test, const char *variant, const char *tier,
		  const char *metric, long long size, double *low, double *high)
{
	const struct paper_figure *f;
	size_t nr = 0;

	for (f = figures; f < figures + NR_FIGURES; f++) {
		if (strcmp(f->test, test) || !same_metric(f->metric, metric) ||
		    !paper_match(f->variant, variant))
			continue;
		if (f->tier && strncmp(f->tier, tier, strlen(f->tier)))
			continue;
		if (f->size >= 0 && f->size != size)
			continue;
		if (!nr || f->value < *low)
			*low = f->value;
		if (!nr || f->value > *high)
			*high = f->value;
		nr++;
	}
	return nr;
}

/* Print @text, on a new line if this one has no room for it. */
static void flow(FILE *out, const char *text, int width, int *column)
{
	int len = strlen(text);

	if (*column + len > width) {
		fputs("\n  ", out);
		*column = 2;
		while (*text == ' ')
			text++;
		len = strlen(text);
	}
	fputs(text, out);
	*column += len;
}

void paper_flow(FILE *out, const char *text, int width, int *column)
{
	const char *end;
	char *word;

	for (; *text; text = end) {
		end = text + 1 + strcspn(text + 1, " ");
		word = mkctl_strndup(text, end - text);
		flow(out, word, width, column);
		free(word);
	}
	fputc('\n', out);
}

void paper_footnote(FILE *out, const char *test, int width)
{
	const struct paper_figure *f, *next;
	int source = -1, column = 0;
	char *item, *number;

	for (f = figures; f < figures + NR_FIGURES; f++) {
		if (strcmp(f->test, test))
			continue;
		if (f->source != source) {
			if (source >= 0)
				fputc('\n', out);
			column = fprintf(out, "paper: %s:", sources[f->source]);
			source = f->source;
		}
		next = f + 1;
		number = grid_number(f->value);
		item = mkctl_printf(" %s %s %s%s",
				    f->tier ? f->tier : f->variant,
				    f->machine, number,
				    next < figures + NR_FIGURES &&
				    !strcmp(next->test, test) ? ";" : "");
		flow(out, item, width, &column);
		free(number);
		free(item);
	}
	if (source >= 0)
		fputc('\n', out);
}
