// SPDX-License-Identifier: GPL-2.0
/*
 * See experiment.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiment.h"
#include "guest.h"
#include "kselftest.h"
#include "userctl/agents.h"

#define MK_RESULTS_MAX	(16 << 20)

/* How long a run may take to begin, or to end once it is told to. */
#define MK_RUN_PATIENCE	30.0

static const char mk_header[] =
	"test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit";

/* Parameters that say how much work there is, and what is little. */
static const struct {
	const char *name;
	unsigned int small;
} mk_amounts[] = {
	{ "samples", 16 },
	{ "warmup", 2 },
	{ "repeats", 1 },
	{ "rounds", 2 },
	{ "messages", 64 },
	{ "updates", 64 },
	{ "seconds", 1 },
	{ "pages", 1 },
	{ "cores", 2 },
	{ "turn", 1 },
};

const char *mk_exp_file(const char *exp, const char *file)
{
	static __thread char path[4][PATH_MAX];
	static __thread unsigned int next;
	char *buf = path[next++ % 4];

	snprintf(buf, PATH_MAX, "experiments/%s/%s", exp, file);
	return buf;
}

int mk_experiments(char names[][MK_FIELD_MAX], int max)
{
	struct dirent **entries;
	int n, i, found = 0;

	n = scandir(mk_path("experiments"), &entries, NULL, alphasort);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && found < max)
			snprintf(names[found++], MK_FIELD_MAX, "%.63s",
				 entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return found;
}

/* --- parameters ------------------------------------------------------------- */

/* A line of help: "  samples: how many; 1..1000000, default 1000" */
int mk_exp_range(const char *exp, const char *param, struct mk_range *range)
{
	char text[MK_TEXT_MAX], *line, *save, *range_text;
	ssize_t n = mk_read(mk_exp_file(exp, "help"), text, sizeof(text));
	size_t len = strlen(param);

	if (n < 0)
		return n;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " ");
		if (strncmp(line, param, len) || line[len] != ':')
			continue;
		range_text = strrchr(line, ';');
		if (range_text &&
		    sscanf(range_text, "; %llu..%llu, default %llu",
			   &range->min, &range->max, &range->def) == 3)
			return 0;
	}
	return -ENOENT;
}

static unsigned long long mk_clamp(unsigned long long value,
				   const struct mk_range *range)
{
	if (value < range->min)
		return range->min;
	return value > range->max ? range->max : value;
}

static int mk_exp_amounts(const char *exp, bool large)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mk_amounts); i++) {
		const char *name = mk_amounts[i].name;
		struct mk_range range;
		int ret;

		if (mk_exp_range(exp, name, &range))
			continue;
		ret = mk_put_u64(mk_exp_file(exp, name),
				 large ? range.max :
				 mk_clamp(mk_amounts[i].small, &range));
		if (ret)
			return ret;
	}
	return 0;
}

int mk_exp_small(const char *exp)
{
	return mk_exp_amounts(exp, false);
}

int mk_exp_large(const char *exp)
{
	return mk_exp_amounts(exp, true);
}

/* --- runs ------------------------------------------------------------------- */

static int mk_exp_run_here(const char *exp)
{
	return mk_put(mk_exp_file(exp, "run"), "1");
}

/* 1 or 0, or a negative errno. */
static int mk_exp_wants_agents(const char *exp)
{
	unsigned long long value;

	return mk_get_u64(mk_exp_file(exp, "agents"), &value) ?: !!value;
}

static int mk_exp_run_with_agents(const char *exp)
{
	agents_start();
	return agents_error(mk_exp_run_here(exp));
}

int mk_exp_run(const char *exp)
{
	int agents = mk_exp_wants_agents(exp);
	pid_t pid;

	if (agents < 0)
		return agents;
	if (!agents)
		return mk_exp_run_here(exp);
	/* Agents end with their process, so they have one of their own. */
	pid = fork();
	if (!pid)
		_exit(-mk_exp_run_with_agents(exp));
	return pid < 0 ? -errno : mk_exp_wait(pid);
}

static void mk_nothing(int signal)
{
}

static bool mk_exp_running(const char *exp)
{
	unsigned long long value;

	return !mk_get_u64(mk_exp_file(exp, "run"), &value) && value;
}

pid_t mk_exp_start(const char *exp)
{
	/* without SA_RESTART, so that a signal shows */
	struct sigaction action = { .sa_handler = mk_nothing };
	double end = mk_seconds() + MK_RUN_PATIENCE;
	siginfo_t info;
	pid_t pid;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigaction(SIGUSR1, &action, NULL);
		_exit(-(mk_exp_wants_agents(exp) > 0 ?
			mk_exp_run_with_agents(exp) : mk_exp_run_here(exp)));
	}
	while (pid > 0 && !mk_exp_running(exp) && mk_seconds() < end) {
		info.si_pid = 0;
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid)
			break;
		mk_sleep_ms(1);
	}
	return pid;
}

int mk_exp_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	/* a run that was killed has no result of its own */
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EOWNERDEAD;
}

bool mk_exp_idle(const char *exp)
{
	double end = mk_seconds() + MK_RUN_PATIENCE;

	while (mk_exp_running(exp)) {
		if (mk_seconds() > end)
			return false;
		mk_sleep_ms(5);
	}
	return true;
}

/* --- results ---------------------------------------------------------------- */

/* Empty fields count, so this is no work for strtok(). */
static bool mk_row_split(char *line, struct mk_row *row)
{
	int column = 0;
	char *field;

	while ((field = strsep(&line, ","))) {
		if (column == MK_COLUMNS || strlen(field) >= MK_FIELD_MAX)
			return false;
		strcpy(row->field[column++], field);
	}
	return column == MK_COLUMNS;
}

int mk_table_parse(char *text, struct mk_table *table)
{
	size_t line_number = 1, max = 1;
	char *line, *p;

	table->row = NULL;
	table->rows = 0;
	if (!*text)
		return -ENODATA;
	for (p = text; *p; p++)
		max += *p == '\n';
	if (p[-1] != '\n' || strncmp(text, mk_header, strlen(mk_header)) ||
	    text[strlen(mk_header)] != '\n') {
		table->rows = p[-1] == '\n' ? 1 : max;
		return -EBADMSG;
	}
	text += strlen(mk_header) + 1;
	table->row = calloc(max, sizeof(*table->row));
	if (!table->row)
		return -ENOMEM;
	while (*text && (line = strsep(&text, "\n"))) {
		line_number++;
		if (!mk_row_split(line, &table->row[table->rows])) {
			free(table->row);
			table->row = NULL;
			table->rows = line_number;
			return -EBADMSG;
		}
		table->rows++;
	}
	return 0;
}

int mk_exp_results(const char *exp, struct mk_table *table)
{
	char *text = malloc(MK_RESULTS_MAX + 1);
	ssize_t n;
	int ret;

	if (!text)
		return -ENOMEM;
	n = mk_read(mk_exp_file(exp, "results"), text, MK_RESULTS_MAX + 1);
	ret = n < 0 ? n : mk_table_parse(text, table);
	free(text);
	return ret;
}

void mk_table_free(struct mk_table *table)
{
	free(table->row);
	table->row = NULL;
	table->rows = 0;
}

const struct mk_row *mk_table_find(const struct mk_table *table,
				   const char *variant, const char *metric)
{
	size_t i;

	for (i = 0; i < table->rows; i++) {
		const struct mk_row *row = &table->row[i];

		if ((!variant || !strcmp(row->field[MK_VARIANT], variant)) &&
		    (!metric || !strcmp(row->field[MK_METRIC], metric)))
			return row;
	}
	return NULL;
}
