// SPDX-License-Identifier: GPL-2.0
/*
 * Bad input to every writable file that the module has: whatever is written,
 * the answer is the right error and the value is what it was.
 *
 * The files are found by walking the tree, and told apart by what they take.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define HUGE	65536

enum kind {
	NUMBER	= 1,	/* a number in some range */
	RUN	= 2,	/* starts an experiment */
	WORD	= 4,	/* one of a few words */
	LIST	= 8,	/* a list of CPUs, which may be empty */
	ANY	= NUMBER | RUN | WORD | LIST,
};

struct bad {
	const char *name;
	const char *data;
	size_t len;	/* 0: that of the string */
	int err[2];	/* one of them */
	int kinds;
};

static char huge_text[HUGE], huge_digits[HUGE], huge_blanks[HUGE],
	    huge_nul[HUGE];

static const struct bad bad[] = {
	{ "a word", "nonsense", 0, { EINVAL }, ANY },
	{ "a negative number", "-1", 0, { EINVAL }, ANY },
	{ "a large negative number", "-99999999999999999999", 0, { EINVAL }, ANY },
	{ "a sign", "+1", 0, { EINVAL }, ANY },
	{ "a number and text", "1x", 0, { EINVAL }, ANY },
	/* in a list of CPUs a blank is as good as a comma */
	{ "two numbers", "1 2", 0, { EINVAL }, NUMBER | RUN | WORD },
	{ "two lines", "1\n2\n", 0, { EINVAL }, NUMBER | RUN | WORD },
	{ "hexadecimal", "0x1", 0, { EINVAL }, ANY },
	{ "a fraction", "1.5", 0, { EINVAL }, ANY },
	{ "an exponent", "1e3", 0, { EINVAL }, ANY },
	{ "a format", "%s%n%x", 0, { EINVAL }, ANY },
	{ "a blank", " ", 0, { EINVAL }, NUMBER | RUN | WORD },
	{ "a newline", "\n", 0, { EINVAL }, NUMBER | RUN | WORD },
	{ "a NUL inside", "1\0002", 3, { EINVAL }, ANY },
	{ "a NUL at the end", "1", 2, { EINVAL }, ANY },
	{ "a NUL alone", "", 1, { EINVAL }, ANY },
	{ "bytes above 127", "\x80\xff\xfe\xc3\x28", 0, { EINVAL }, ANY },
	{ "control characters", "\x01\x02\x7f\x1b[0m", 0, { EINVAL }, ANY },
	{ "64 KiB of text", huge_text, HUGE, { EINVAL }, ANY },
	{ "64 KiB of digits", huge_digits, HUGE, { EINVAL }, ANY },
	{ "64 KiB of blanks", huge_blanks, HUGE, { EINVAL }, ANY },
	{ "64 KiB of NUL", huge_nul, HUGE, { EINVAL }, ANY },
	{ "2^64 - 1", "18446744073709551615", 0, { ERANGE }, NUMBER | RUN },
	{ "2^64", "18446744073709551616", 0, { ERANGE }, NUMBER | RUN },
	{ "2^64 + 1", "18446744073709551617", 0, { ERANGE }, NUMBER | RUN },
	{ "10^39", "1000000000000000000000000000000000000000", 0, { ERANGE },
	  NUMBER | RUN },
	{ "2", "2", 0, { ERANGE }, RUN },
	{ "a number for a word", "0", 0, { EINVAL }, WORD },
	{ "CPU 100000", "100000", 0, { ERANGE }, LIST },
	{ "CPU 2^32", "4294967296", 0, { ERANGE, EINVAL }, LIST },
	{ "a range backwards", "1-0", 0, { EINVAL }, LIST },
	{ "a range without end", "0-", 0, { EINVAL }, LIST },
	{ "a stride of 0", "0-1:1/0", 0, { EINVAL }, LIST },
	{ "a list of words", "0,one", 0, { EINVAL }, LIST },
};

/* What one test does to every writable file. */
struct visit {
	struct __test_metadata *meta;
	void (*fn)(struct __test_metadata *_metadata, const char *file,
		   enum kind kind, const char *value);
	int files;
};

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && !strcmp(text + a - b, end);
}

/* @value is what the file holds; it holds the same afterwards. */
static enum kind kind_of(const char *file, const char *value)
{
	const char *p = value;

	if (ends_with(file, "/run"))
		return RUN;
	if (!mk_put(file, "0-0")) {
		mk_put(file, value);
		return LIST;
	}
	while (isdigit((unsigned char)*p))
		p++;
	return p > value && !strcmp(p, "\n") ? NUMBER : WORD;
}

static int visit_file(const char *file, bool writable, void *arg)
{
	struct visit *visit = arg;
	struct __test_metadata *_metadata = visit->meta;
	char value[4096];

	if (!writable)
		return 0;
	EXPECT_LT(0, mk_read(file, value, sizeof(value)))
		TH_LOG("%s cannot be read", file);
	visit->files++;
	visit->fn(_metadata, file, kind_of(file, value), value);
	return 0;
}

static void unchanged(struct __test_metadata *_metadata, const char *file,
		      const char *value, const char *after)
{
	char now[4096];

	EXPECT_LT(0, mk_read(file, now, sizeof(now)));
	EXPECT_STREQ(value, now)
		TH_LOG("%s changed after %s", file, after);
	/* one fault, one report */
	if (strcmp(value, now))
		mk_put(file, value);
}

FIXTURE(tree)
{
	int files;
};

FIXTURE_SETUP(tree)
{
	memset(huge_text, 'A', HUGE);
	memset(huge_digits, '1', HUGE);
	memset(huge_blanks, ' ', HUGE);
	huge_blanks[HUGE - 1] = '1';
	if (!mk_loaded())
		ASSERT_EQ(0, mk_load(NULL));
}

FIXTURE_TEARDOWN(tree)
{
	/* what was written may have stayed */
	if (!_metadata->passed)
		EXPECT_RET(0, mk_unload_soon(), "unload");
}

#define EVERY_FILE(function) do {					\
	struct visit visit = { _metadata, function, 0 };		\
	ASSERT_EQ(0, mk_walk("", visit_file, &visit));			\
	/* a parameter, a run file, a poll_cycles: a walk that finds */	\
	/* less has not seen the tree */				\
	EXPECT_LE(3, visit.files);					\
} while (0)

static void check_table(struct __test_metadata *_metadata, const char *file,
			enum kind kind, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		int ret;

		if (!(bad[i].kinds & kind))
			continue;
		ret = mk_write(file, bad[i].data,
			       bad[i].len ? bad[i].len : strlen(bad[i].data));
		EXPECT_TRUE(ret && (ret == -bad[i].err[0] ||
				    ret == -bad[i].err[1]))
			TH_LOG("%s: %s: %s, expected %s", file, bad[i].name,
			       mk_errname(ret), mk_errname(-bad[i].err[0]));
		unchanged(_metadata, file, value, bad[i].name);
	}
}

TEST_F(tree, table)
{
	EVERY_FILE(check_table);
}

static void check_empty(struct __test_metadata *_metadata, const char *file,
			enum kind kind, const char *value)
{
	EXPECT_RET(-EINVAL, mk_write(file, "", 0), file);
	unchanged(_metadata, file, value, "an empty write");
}

TEST_F(tree, empty_write)
{
	EVERY_FILE(check_empty);
}

static void check_pointer(struct __test_metadata *_metadata, const char *file,
			  enum kind kind, const char *value)
{
	EXPECT_RET(-EFAULT, mk_write(file, (void *)16, 4), file);
	unchanged(_metadata, file, value, "a bad pointer");
}

TEST_F(tree, bad_pointer)
{
	EVERY_FILE(check_pointer);
}

static void check_offset(struct __test_metadata *_metadata, const char *file,
			 enum kind kind, const char *value)
{
	int fd = open(mk_path(file), O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "0", 1, 1));
	EXPECT_EQ(EINVAL, errno)
		TH_LOG("%s: %s", file, strerror(errno));
	close(fd);
	unchanged(_metadata, file, value, "a write at offset 1");
}

TEST_F(tree, write_at_an_offset)
{
	EVERY_FILE(check_offset);
}

/* The positive control: what a file shows can be written back. */
static void check_same(struct __test_metadata *_metadata, const char *file,
		       enum kind kind, const char *value)
{
	size_t len = strlen(value);

	if (mk_acts(file))
		return;
	EXPECT_RET(0, mk_write(file, value, len), file);
	unchanged(_metadata, file, value, "its own value");
	/* without newline; an empty list would be an empty write */
	if (len > 1) {
		EXPECT_RET(0, mk_write(file, value, len - 1), file);
		unchanged(_metadata, file, value, "its own value");
	}
}

TEST_F(tree, own_value)
{
	EVERY_FILE(check_same);
}

/* Parameters say their range in help: its ends are in, the next is out. */
static void check_range(struct __test_metadata *_metadata, const char *file,
			enum kind kind, const char *value)
{
	char exp[MK_FIELD_MAX], param[MK_FIELD_MAX];
	struct mk_range range;

	if (kind != NUMBER ||
	    sscanf(file, "experiments/%63[^/]/%63[^/]", exp, param) != 2)
		return;
	ASSERT_EQ(0, mk_exp_range(exp, param, &range))
		TH_LOG("help does not tell the range of %s", file);
	EXPECT_RET(-ERANGE, mk_put_u64(file, range.max + 1), file);
	unchanged(_metadata, file, value, "more than the largest");
	if (range.min) {
		EXPECT_RET(-ERANGE, mk_put_u64(file, range.min - 1), file);
		unchanged(_metadata, file, value, "less than the smallest");
	}
	EXPECT_RET(0, mk_put_u64(file, range.min), file);
	EXPECT_RET(0, mk_put_u64(file, range.max), file);
	EXPECT_RET(0, mk_put(file, value), file);
	unchanged(_metadata, file, value, "its own value");
}

TEST_F(tree, ends_of_the_range)
{
	EVERY_FILE(check_range);
}

static int check_read_only(const char *file, bool writable, void *arg)
{
	struct __test_metadata *_metadata = arg;
	int ret;

	if (writable)
		return 0;
	/* root may open it, whatever its mode */
	ret = mk_put(file, "1");
	EXPECT_TRUE(ret == -EINVAL || ret == -EPERM || ret == -EACCES)
		TH_LOG("%s: %s", file, mk_errname(ret));
	return 0;
}

TEST_F(tree, read_only_files)
{
	ASSERT_EQ(0, mk_walk("", check_read_only, _metadata));
}

/* Byte by byte a file reads as in one go. */
static int check_small_reads(const char *file, bool writable, void *arg)
{
	struct __test_metadata *_metadata = arg;
	static char whole[MK_TEXT_MAX], parts[MK_TEXT_MAX];
	size_t len = 0;
	int fd;

	ASSERT_LE(0, mk_read(file, whole, sizeof(whole)))
		TH_LOG("%s cannot be read", file);
	/* counters and clocks go on */
	if (!writable)
		return 0;
	fd = open(mk_path(file), O_RDONLY);
	ASSERT_LE(0, fd);
	while (len < sizeof(parts) - 1 && read(fd, parts + len, 1) == 1)
		len++;
	parts[len] = '\0';
	EXPECT_STREQ(whole, parts);
	EXPECT_EQ('\n', parts[len - 1])
		TH_LOG("%s does not end its line", file);
	close(fd);
	return 0;
}

TEST_F(tree, small_reads)
{
	ASSERT_EQ(0, mk_walk("", check_small_reads, _metadata));
}

/* --- many at once ----------------------------------------------------------- */

#define WRITERS	4
#define WRITES	mk_rounds(60, 10)

struct writer {
	const char *file;
	const char *text;
	int expect;
	int wrong;
};

static void *write_often(void *arg)
{
	struct writer *writer = arg;
	unsigned int i;

	for (i = 0; i < WRITES; i++)
		if (mk_put(writer->file, writer->text) != writer->expect)
			writer->wrong++;
	return NULL;
}

/* Two write good values, two bad ones: the file never holds anything else. */
static void check_concurrent(struct __test_metadata *_metadata,
			     const char *file, enum kind kind,
			     const char *value)
{
	char other[32], now[4096];
	unsigned long long number;
	struct writer writer[WRITERS];
	pthread_t thread[WRITERS];
	unsigned int i;

	if (kind != NUMBER || mk_acts(file))
		return;
	ASSERT_EQ(0, mk_get_u64(file, &number));
	snprintf(other, sizeof(other), "%llu\n", number + 1);
	if (mk_put(file, other)) {
		snprintf(other, sizeof(other), "%llu\n", number - 1);
		ASSERT_EQ(0, mk_put(file, other))
			TH_LOG("%s takes only one value", file);
	}
	for (i = 0; i < WRITERS; i++) {
		static const char *const texts[] = { "-1", "1x" };

		writer[i].file = file;
		writer[i].text = i < 2 ? (i ? other : value) : texts[i - 2];
		writer[i].expect = i < 2 ? 0 : -EINVAL;
		writer[i].wrong = 0;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, write_often,
					    &writer[i]));
	}
	for (i = 0; i < WRITES; i++) {
		ASSERT_LT(0, mk_read(file, now, sizeof(now)));
		EXPECT_TRUE(!strcmp(now, value) || !strcmp(now, other))
			TH_LOG("%s holds %s", file, now);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, writer[i].wrong)
			TH_LOG("%s: writes of %s", file, writer[i].text);
	}
	EXPECT_RET(0, mk_put(file, value), file);
}

TEST_F(tree, concurrent_writers)
{
	EVERY_FILE(check_concurrent);
}

/* The module stays while one of its files is open. */
static void check_open(struct __test_metadata *_metadata, const char *file,
		       enum kind kind, const char *value)
{
	int fd = open(mk_path(file), O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_RET(-EAGAIN, mk_unload(), file);
	close(fd);
}

TEST_F(tree, unload_with_a_file_open)
{
	EVERY_FILE(check_open);
	EXPECT_TRUE(mk_loaded());
}

#include "goes.h"

TEST_HARNESS_MAIN
