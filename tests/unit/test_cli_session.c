// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of `covol` about sessions: their words in, requests and output out.
 */
#include <errno.h>

#include "cli_test.h"

static void test_wrong_usage(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} cases[] = {
		{ "kernel session connect " U " --peer 2", "--address is missing" },
		{ "kernel session connect " U " --peer 2 --address 1.2.3.4:5 --timeout -1",
		  "\"-1\" is not a number of seconds" },
		{ "kernel session connect " U " --peer 2 --address 1.2.3.4:5 --lanes 17",
		  "--lanes: 1 to 16" },
		{ "kernel session connect " U " --peer 2 --address 1.2.3.4:5,1.2.3.4:6 --lanes 1",
		  "no fewer than addresses" },
		{ "kernel session listen " U " --peer 2 --address 1.2.3.4:5 --from 1.2.3.5,1.2.3.6",
		  "--from: one for each address" },
		{ "kernel session listen " U " --peer 2 --address ,,,,,,,,,,,,,,,,",
		  "--address: more than" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(covol(cases[i].line), EXIT_USAGE);
		assert_says(err, cases[i].says);
	}
	assert_int_equal(fake_requests(), 0);
}

static void test_session(void **state)
{
	struct nlattr **sent;

	(void)state;
	assert_int_equal(covol("kernel session remove " U " 2 --forget"), EXIT_OK);
	sent = fake_request(0, COVOL_CMD_SESSION_DEL);
	assert_non_null(sent[COVOL_A_SESSION_FORGET]);

	/* A volume that is not there is noticed before anybody waits for a peer. */
	fake_refuse(-ENOENT, "uuid: unknown volume", 0, 0);
	assert_int_equal(covol("kernel session listen " U " --peer 2 --address 127.0.0.1:0"),
			 EXIT_FAILED);
	assert_says(err, "uuid: unknown volume");
	assert_int_equal(fake_requests(), 2);
}

static void put_lanes(struct nl_msg *message, uint32_t lanes)
{
	struct nlattr *nest = nla_nest_start(message, COVOL_A_SESSION_LANES), *lane;
	uint32_t i;

	for (i = 1; i <= lanes; i++) {
		lane = nla_nest_start(message, i);
		nla_put_u32(message, COVOL_A_LANE_OUTSTANDING, 10 * i);
		nla_put_u32(message, COVOL_A_LANE_SILENT, 10 * i + 1);
		nla_put_u64(message, COVOL_A_LANE_REQUESTS_SENT, 10 * i + 2);
		nla_put_u64(message, COVOL_A_LANE_REQUESTS_SERVED, 10 * i + 3);
		nla_put_u64(message, COVOL_A_LANE_BYTES_SENT, 10 * i + 4);
		nla_put_u64(message, COVOL_A_LANE_BYTES_RECEIVED, 10 * i + 5);
		nla_nest_end(message, lane);
	}
	nla_nest_end(message, nest);
}

static void answer_session(uint32_t lanes)
{
	struct nl_msg *message = fake_message(COVOL_CMD_SESSION_GET, NLM_F_MULTI);

	nla_put(message, COVOL_A_SESSION_UUID, sizeof(fake_uuid), &fake_uuid);
	nla_put_u32(message, COVOL_A_SESSION_PEER, 2);
	nla_put_u32(message, COVOL_A_SESSION_STATE, COVOL_SESSION_STATE_LIVE);
	nla_put_u32(message, COVOL_A_SESSION_OUTSTANDING, 1);
	nla_put_u32(message, COVOL_A_SESSION_QUEUED, 2);
	nla_put_u32(message, COVOL_A_SESSION_SERVING, 3);
	nla_put_u64(message, COVOL_A_SESSION_REQUESTS_SENT, 4);
	nla_put_u64(message, COVOL_A_SESSION_REQUESTS_SERVED, 5);
	nla_put_u64(message, COVOL_A_SESSION_BYTES_SENT, 6);
	nla_put_u64(message, COVOL_A_SESSION_BYTES_RECEIVED, 7);
	nla_put_flag(message, COVOL_A_SESSION_TLS);
	nla_put_u64(message, COVOL_A_SESSION_GRANTS_SENT, 8);
	nla_put_u64(message, COVOL_A_SESSION_GRANTS_RECEIVED, 9);
	nla_put_u64(message, COVOL_A_SESSION_RECALLS_SENT, 10);
	nla_put_u64(message, COVOL_A_SESSION_RECALLS_RECEIVED, 11);
	put_lanes(message, lanes);
	fake_add(message);
	fake_done(0, NULL);
}

static void test_session_show(void **state)
{
	(void)state;
	answer_session(2);
	assert_int_equal(covol("kernel session show " U " --json"), EXIT_OK);
	assert_json("{\"sessions\":[{\"uuid\":\"" U "\",\"peer\":2,\"state\":\"live\",",
		    "\"outstanding\":1,\"queued\":2,\"serving\":3,\"requests-sent\":4,",
		    "\"requests-served\":5,\"bytes-sent\":6,\"bytes-received\":7,\"tls\":1,",
		    "\"grants-sent\":8,\"grants-received\":9,\"recalls-sent\":10,\"recalls-received\":11,",
		    "\"lanes\":2}]}",
		    NULL);
}

static void test_lanes_show(void **state)
{
	(void)state;
	answer_session(2);
	assert_int_equal(covol("kernel session show " U " --lanes --json"), EXIT_OK);
	assert_json("{\"lanes\":[{\"uuid\":\"" U "\",\"peer\":2,\"lane\":0,\"outstanding\":10,",
		    "\"requests-sent\":12,\"requests-served\":13,\"bytes-sent\":14,",
		    "\"bytes-received\":15,\"silent\":11},",
		    "{\"uuid\":\"" U "\",\"peer\":2,\"lane\":1,\"outstanding\":20,",
		    "\"requests-sent\":22,\"requests-served\":23,\"bytes-sent\":24,",
		    "\"bytes-received\":25,\"silent\":21}]}", NULL);

	/* More than there can be: nothing is written past the end. */
	answer_session(COVOL_LANES_MAX + 1);
	assert_int_equal(covol("kernel session show"), EXIT_FAILED);
}

static void test_planned_event(void **state)
{
	struct nl_msg *message;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		message = fake_message(COVOL_CMD_SESSION_LOST, 0);
		nla_put(message, COVOL_A_EVENT_UUID, sizeof(fake_uuid), &fake_uuid);
		nla_put_u32(message, COVOL_A_EVENT_PEER, 2);
		nla_put_flag(message, COVOL_A_EVENT_PLANNED);
		fake_event(message);
		assert_int_equal(covol(i ? "kernel events --count 1 --json" :
					   "kernel events --count 1"), EXIT_OK);
		if (i)
			assert_output("{\"event\":\"session-lost\",\"uuid\":\"" U "\",",
				      "\"peer\":2,\"planned\":true}\n", NULL);
		else
			assert_output("session-lost uuid " U " peer 2 planned\n", NULL);
		fake_reset();
	}
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_usage),
		TEST(test_session),
		TEST(test_session_show),
		TEST(test_lanes_show),
		TEST(test_planned_event),
	};

	return cmocka_run_group_tests_name("cli_session", tests, NULL, NULL);
}
