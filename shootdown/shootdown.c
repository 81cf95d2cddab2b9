// SPDX-License-Identifier: GPL-2.0
/* Being written. */
#include <linux/err.h>

#include "shootdown/shootdown.h"

struct mk_party *mk_party_get(enum mk_protocol protocol, int cpu,
			      const struct cpumask *members)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void mk_party_put(struct mk_party *party)
{
}

int mk_shootdown(struct mk_shootdown *sd)
{
	return -EOPNOTSUPP;
}

int mk_frees_init(struct mk_frees *frees, u32 pages,
		  void (*release)(struct mk_frees *frees))
{
	return -EOPNOTSUPP;
}

void mk_frees_destroy(struct mk_frees *frees)
{
}

int mk_lazy_settle(u32 timeout_ms)
{
	return -EOPNOTSUPP;
}

void mk_lazy_drain(void)
{
}

const char *mk_protocol_name(enum mk_protocol protocol)
{
	return "?";
}

int mk_protocol_refuses(enum mk_protocol protocol, bool protect,
			enum mk_broken broken)
{
	return -EOPNOTSUPP;
}

bool mk_protocol_zaps(enum mk_protocol protocol)
{
	return false;
}

int mk_shootdown_init(void)
{
	return 0;
}

void mk_shootdown_files(struct dentry *root)
{
}

void mk_shootdown_exit(void)
{
}
