/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of programs that work on one region, mapped as a whole; after
 * region_use.h and test.h.
 */
#ifndef MK_REGION_FIXTURE_H
#define MK_REGION_FIXTURE_H

FIXTURE(region)
{
	int fd;
	char *base;
};

FIXTURE_SETUP(region)
{
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
	self->fd = region_open(PAGES);
	ASSERT_LE(0, self->fd)
		TH_LOG("%s", mk_errname(self->fd));
	self->base = region_map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAILED, self->base);
}

FIXTURE_TEARDOWN(region)
{
	munmap(self->base, PAGES * PAGE);
	close(self->fd);
	EXPECT_NOTHING_LEFT();
}

#endif /* MK_REGION_FIXTURE_H */
