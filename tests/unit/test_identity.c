// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the agent says of its own certificate before anybody else does.
 */
#include <errno.h>
#include <unistd.h>

#include "../../userspace/covold/identity.h"
#include "tls_test.h"

static struct {
	struct config config;
	char paths[3][128];
} rig;

static void use(const char *certificate, const char *key, const char *authority)
{
	rig.config.certificate = (char *)tls_path(certificate, rig.paths[0]);
	rig.config.key = (char *)tls_path(key, rig.paths[1]);
	rig.config.authority = (char *)tls_path(authority, rig.paths[2]);
}

static void test_look(void **state)
{
	static const struct {
		const char *certificate;
		const char *key;
		const char *authority;
		const char *says;	/* NULL: nothing */
	} cases[] = {
		{ "long.crt", "long.key", "ca.crt", NULL },
		{ "b.crt", "b.key", "ca.crt", "expires in" },
		{ "expired.crt", "expired.key", "ca.crt", "expired certificate" },
		{ "early.crt", "early.key", "ca.crt", "not yet valid" },
		{ "c.crt", "c.key", "ca.crt", "as node b: The certificate is NOT trusted." },
		{ "stranger.crt", "stranger.key", "ca.crt", "issuer is unknown" },
		{ "long.crt", "long.key", "other.crt", "issuer is unknown" },
		{ "long.crt", "a.key", "ca.crt", "key is not that of the certificate" },
		{ "none.crt", "long.key", "ca.crt", "none.crt: No such file" },
		{ "long.crt", "none.key", "ca.crt", "none.key: No such file" },
		{ "long.crt", "long.key", "none.crt", "none.crt: No such file" },
		{ "long.key", "long.key", "ca.crt", "the certificate: " },
		{ "long.crt", "long.crt", "ca.crt", "the key: " },
	};
	char text[IDENTITY_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		use(cases[i].certificate, cases[i].key, cases[i].authority);
		identity_look(&rig.config, "b", text);
		if (cases[i].says)
			assert_contains(text, cases[i].says);
		else
			assert_string_equal(text, "");
	}
	memset(&rig.config, 0, sizeof(rig.config));
	identity_look(&rig.config, "b", text);
	assert_contains(text, "no certificate");
}

/* An authority below another: what is between stands behind the node's. */
static void test_chain(void **state)
{
	char text[IDENTITY_TEXT], both[8192];
	size_t length = 0;
	FILE *file;
	int i;

	(void)state;
	/* Here it is only one more that is of no use, and does no harm. */
	for (i = 0; i < 2; i++) {
		file = fopen(tls_path(i ? "ca.crt" : "long.crt", rig.paths[0]), "r");
		assert_non_null(file);
		length += fread(both + length, 1, sizeof(both) - 1 - length, file);
		fclose(file);
	}
	both[length] = 0;
	tls_write("both.crt", both);
	use("both.crt", "long.key", "ca.crt");
	identity_look(&rig.config, "b", text);
	assert_string_equal(text, "");
}

/* When the name is known, and again when it is another. */
static void test_watch(void **state)
{
	struct identity *identity;
	struct pool *pool;
	sd_event *event;
	time_t limit = time(NULL) + 30;

	(void)state;
	use("long.crt", "long.key", "ca.crt");
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(pool_create(&pool, event, 1, 2), 0);
	assert_int_equal(identity_open(&identity, event, pool, &rig.config), 0);
	assert_int_equal(pool_busy(pool), 0);
	identity_name(identity, "c");
	/* While it is looked at. */
	identity_name(identity, "b");
	while (pool_busy(pool) && time(NULL) < limit)
		assert_true(sd_event_run(event, 20000) >= 0);
	assert_string_equal(identity_trouble(identity), "");
	identity_name(identity, "c");
	while (pool_busy(pool) && time(NULL) < limit)
		assert_true(sd_event_run(event, 20000) >= 0);
	assert_contains(identity_trouble(identity), "as node c: ");
	identity_name(identity, "c");
	assert_int_equal(pool_busy(pool), 0);
	pool_destroy(pool);
	identity_close(identity);
	sd_event_unref(event);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tls_setup, tls_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_look), TEST(test_chain), TEST(test_watch),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
