// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters that a run sets, and puts back when it is over.
 *
 * They are all written before the first experiment starts, so that a value
 * refused for the last does not come up after an hour.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mkctl.h"
#include "settings.h"

void settings_add(struct settings *settings, const char *experiment,
		  const char *name, const char *value, const char *option)
{
	struct setting *setting;

	settings->list = mkctl_grow(settings->list, settings->nr + 1,
				    sizeof(*setting));
	setting = &settings->list[settings->nr++];
	setting->experiment = experiment ? mkctl_printf("%s", experiment) : NULL;
	setting->name = mkctl_printf("%s", name);
	setting->value = mkctl_printf("%s", value);
	setting->option = option;
}

int settings_parse(struct settings *settings, const char *text)
{
	const char *equals = strchr(text, '=');
	char *left, *dot;

	if (!equals || equals == text) {
		mkctl_error("--set %s: say [EXPERIMENT.]name=value", text);
		return -1;
	}
	left = mkctl_strndup(text, equals - text);
	dot = strchr(left, '.');
	if (dot)
		*dot = '\0';
	settings_add(settings, dot ? left : NULL, dot ? dot + 1 : left,
		     equals + 1, "--set");
	free(left);
	return 0;
}

static int write_value(const struct tree *tree, const char *path, const char *value)
{
	/* The newline makes an empty value something to write. */
	char *line = mkctl_printf("%s\n", value);
	int ret = tree_write(tree, path, line);

	free(line);
	return ret;
}

static void save(struct settings *settings, const char *path, const char *value)
{
	struct saved_value *saved;

	settings->saved = mkctl_grow(settings->saved, settings->nr_saved + 1,
				     sizeof(*saved));
	saved = &settings->saved[settings->nr_saved++];
	saved->path = mkctl_printf("%s", path);
	saved->value = mkctl_printf("%s", value);
}

static int refused(const struct setting *setting, const char *experiment,
		   const struct tree_param *param, int reason)
{
	const char *why;

	switch (reason) {
	case EINVAL:
		why = "is not a value that it takes";
		break;
	case ERANGE:
		why = "is outside its range";
		break;
	case EACCES:
	case EPERM:
		mkctl_error("%s.%s may be set by root only; say: sudo mkctl run",
			    experiment, param->name);
		return MKCTL_NO_TREE;
	default:
		why = strerror(reason);
	}
	mkctl_error("%s.%s: '%s' %s; %s%s%s%s%s", experiment, param->name,
		    setting->value, why,
		    *param->help ? "it takes: " : "",
		    *param->help ? param->help : "see: mkctl list ",
		    *param->help ? " (now " : experiment,
		    *param->help ? (*param->value ? param->value : "empty") : "",
		    *param->help ? ")" : "");
	return reason == EINVAL || reason == ERANGE ? MKCTL_USAGE : MKCTL_FAILED;
}

/* --repeat is a word of ours; experiments may call it either way. */
static const struct tree_param *find_param(const struct tree_params *params,
					   const char *name)
{
	const struct tree_param *param = tree_param(params, name);

	if (!param && !strcmp(name, "repeat"))
		param = tree_param(params, "repeats");
	return param;
}

/* One setting of one experiment that has it; counts it in @found. */
static int apply_to(struct settings *settings, const struct setting *setting,
		    const struct tree *tree, const char *experiment, int *found)
{
	struct tree_params params = tree_params(tree, experiment);
	const struct tree_param *param = find_param(&params, setting->name);
	int ret = MKCTL_OK, err;
	char *path;

	if (param) {
		*found = 1;
		path = mkctl_printf("experiments/%s/%s", experiment, param->name);
		err = write_value(tree, path, setting->value);
		if (err)
			ret = refused(setting, experiment, param, -err);
		else
			save(settings, path, param->value);
		free(path);
	}
	tree_params_free(&params);
	return ret;
}

static int unknown_param(const struct setting *setting, const struct tree *tree,
			 const char *const *chosen, size_t nr_chosen)
{
	const char *experiment = setting->experiment;
	struct tree_params params;
	char *names;

	if (!experiment && nr_chosen == 1)
		experiment = chosen[0];
	if (!experiment) {
		mkctl_error("%s %s: no experiment chosen has it; see: mkctl list EXPERIMENT",
			    setting->option, setting->name);
		return MKCTL_USAGE;
	}
	params = tree_params(tree, experiment);
	names = tree_param_names(&params);
	mkctl_error("%s: %s has no parameter '%s'; there are: %s", setting->option,
		    experiment, setting->name, names);
	free(names);
	tree_params_free(&params);
	return MKCTL_USAGE;
}

static int not_chosen(const struct setting *setting, const struct tree *tree)
{
	char *names;

	if (tree_has(tree, setting->experiment)) {
		mkctl_error("%s %s.%s: %s is not among the experiments to run; name it too",
			    setting->option, setting->experiment, setting->name,
			    setting->experiment);
		return MKCTL_USAGE;
	}
	names = tree_experiment_names(tree);
	mkctl_error("%s: no experiment '%s'; there are: %s", setting->option,
		    setting->experiment, names);
	free(names);
	return MKCTL_USAGE;
}

int settings_apply(struct settings *settings, const struct tree *tree,
		   const char *const *chosen, size_t nr_chosen)
{
	const struct setting *setting;
	int ret = MKCTL_OK, found, known;
	size_t i, j;

	for (i = 0; i < settings->nr && !ret; i++) {
		setting = &settings->list[i];
		found = 0;
		known = !setting->experiment;
		for (j = 0; j < nr_chosen && !ret; j++) {
			if (setting->experiment &&
			    strcmp(setting->experiment, chosen[j]))
				continue;
			known = 1;
			ret = apply_to(settings, setting, tree, chosen[j], &found);
		}
		if (ret)
			break;
		if (!known)
			ret = not_chosen(setting, tree);
		else if (!found)
			ret = unknown_param(setting, tree, chosen, nr_chosen);
	}
	if (ret)
		settings_restore(settings, tree);
	return ret;
}

void settings_restore(struct settings *settings, const struct tree *tree)
{
	struct saved_value *saved;
	int err;

	/* Backwards: what was set twice gets its first value in the end. */
	while (settings->nr_saved) {
		saved = &settings->saved[--settings->nr_saved];
		err = write_value(tree, saved->path, saved->value);
		if (err)
			mkctl_error("cannot put %s back to '%s': %s", saved->path,
				    saved->value, strerror(-err));
		free(saved->path);
		free(saved->value);
	}
}

void settings_free(struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->nr; i++) {
		free(settings->list[i].experiment);
		free(settings->list[i].name);
		free(settings->list[i].value);
	}
	free(settings->list);
	free(settings->saved);
}
