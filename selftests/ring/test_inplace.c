// SPDX-License-Identifier: GPL-2.0
/*
 * RPC in place: turns, fields, limits, a hostile peer.
 */
#include "pair.h"
#include "tests.h"
#include "urpc/inplace.h"

static enum tap_result turns(void)
{
	struct mk_line line = { .header = 0 };
	struct mk_inplace i, t;
	u64 word[MK_LINE_WORDS], got[MK_LINE_WORDS];
	u32 n, words;
	u8 type = 0;

	mk_inplace_init(&i, &line);
	mk_inplace_init(&t, &line);
	CHECK(!mk_inplace_replied(&i, &type, got, 7));
	CHECK(!mk_inplace_called(&t, &type, got, 7));
	CHECK(mk_inplace_reply(&t, 0, word, 0) == -EINVAL);

	/* Across the wrap of the number of the call. */
	i.seq = -100;
	t.seq = -100;
	for (n = 0; n < 2000; n++) {
		words = n % (MK_LINE_WORDS + 1);
		pair_fill(word, n, 1);
		CHECK(!mk_inplace_call(&i, n, word, words));
		CHECK(mk_inplace_call(&i, n, word, words) == -EBUSY);
		CHECK(!mk_inplace_replied(&i, &type, got, words));

		memset(got, 0, sizeof(got));
		CHECK(mk_inplace_called(&t, &type, got, words) == 1);
		CHECK(type == (u8)n);
		CHECK(!memcmp(word, got, words * sizeof(*word)));
		CHECK(words == MK_LINE_WORDS || !got[words]);
		CHECK(!mk_inplace_called(&t, &type, got, words));
		CHECK(!mk_inplace_replied(&i, &type, got, words));

		pair_fill(word, ~n, 1);
		CHECK(!mk_inplace_reply(&t, ~n, word, words));
		CHECK(mk_inplace_reply(&t, ~n, word, words) == -EINVAL);
		CHECK(!mk_inplace_called(&t, &type, got, words));
		CHECK(mk_inplace_replied(&i, &type, got, words) == 1);
		CHECK(type == (u8)~n);
		CHECK(!memcmp(word, got, words * sizeof(*word)));
		CHECK(!mk_inplace_replied(&i, &type, got, words));
		CHECK(!mk_inplace_called(&t, &type, got, words));
	}
	return TAP_OK;
}

static enum tap_result limits(void)
{
	static const u32 bad[] = { 8, 9, 1u << 29, 1u << 31, ~0u };
	struct mk_line line = { .header = 0 };
	struct mk_inplace i, t;
	u64 word[MK_LINE_WORDS] = { 0 };
	u8 type;
	u32 n;

	mk_inplace_init(&i, &line);
	mk_inplace_init(&t, &line);
	for (n = 0; n < NR_OF(bad); n++)
		CHECK(mk_inplace_call(&i, 0, word, bad[n]) == -EINVAL);
	CHECK(!line.header && !i.open);
	CHECK(!mk_inplace_call(&i, 1, word, 7));
	for (n = 0; n < NR_OF(bad); n++)
		CHECK(mk_inplace_called(&t, &type, word, bad[n]) == -EINVAL);
	CHECK(mk_inplace_called(&t, &type, word, 7) == 1);
	for (n = 0; n < NR_OF(bad); n++)
		CHECK(mk_inplace_reply(&t, 0, word, bad[n]) == -EINVAL);
	CHECK(t.open && !mk_inplace_reply(&t, 0, word, 7));
	for (n = 0; n < NR_OF(bad); n++)
		CHECK(mk_inplace_replied(&i, &type, word, bad[n]) == -EINVAL);
	CHECK(mk_inplace_replied(&i, &type, word, 7) == 1);
	return TAP_OK;
}

/* Only the header of this very turn counts, whatever else the peer writes. */
static enum tap_result garbled(void)
{
	struct mk_line line = { .header = 0 };
	struct mk_inplace i, t;
	u64 seed = 0x63656c6cull, word[MK_LINE_WORDS] = { 0 };
	u32 n;
	u8 type;

	for (n = 0; n < 200000; n++) {
		u64 header = pair_random(&seed);
		u32 seq = header >> MK_HDR_TAG_SHIFT;
		u32 flags = header >> MK_HDR_FLAGS_SHIFT & 0xf;

		/* Half of them nearly right. */
		if (n & 1)
			seq = n & 2;
		header = (u32)header | (u64)seq << MK_HDR_TAG_SHIFT;
		mk_inplace_init(&i, &line);
		mk_inplace_init(&t, &line);
		i.seq = 1;
		line.header = 0;
		CHECK(!mk_inplace_call(&i, 0, word, 1));
		line.header = header;
		CHECK(mk_inplace_replied(&i, &type, word, 7) ==
		      (seq == 2 && flags == MK_MSG_REPLY));
		CHECK(mk_inplace_called(&t, &type, word, 7) ==
		      (seq == 1 && flags == MK_MSG_CALL));
	}
	return TAP_OK;
}

const struct tap_test inplace_tests[] = {
	{ "inplace: turns", turns },
	{ "inplace: what does not fit", limits },
	{ "inplace: headers that are not for this turn", garbled },
	{ NULL, NULL }
};
