// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel events: one line for each.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "cli.h"

struct follower {
	bool json;
	uint32_t limit;		/* 0: none */
	uint32_t count;
};

/* One event, as an object; what it has not is not in it. */
static struct json_object *event_to_json(const struct covol_event *event)
{
	struct json_object *json = json_object_new_object();
	char text[COVOL_UUID_TEXT_LEN];

	json_object_object_add(json, "event",
			       json_object_new_string(covol_event_name(event->type)));
	json_object_object_add(json, "uuid",
			       json_object_new_string(covol_uuid_format(&event->uuid, text)));
	if (covol_event_has(event, COVOL_A_EVENT_OBJECT))
		json_object_object_add(json, "object", json_object_new_uint64(event->object));
	if (covol_event_has(event, COVOL_A_EVENT_PEER))
		json_object_object_add(json, "peer", json_object_new_uint64(event->peer));
	if (covol_event_has(event, COVOL_A_EVENT_SEQ))
		json_object_object_add(json, "seq", json_object_new_uint64(event->seq));
	if (covol_event_has(event, COVOL_A_EVENT_OFFSET))
		json_object_object_add(json, "offset", json_object_new_uint64(event->offset));
	if (covol_event_has(event, COVOL_A_EVENT_LENGTH))
		json_object_object_add(json, "length", json_object_new_uint64(event->length));
	if (covol_event_has(event, COVOL_A_EVENT_ERROR))
		json_object_object_add(json, "error", json_object_new_int(event->error));
	if (covol_event_has(event, COVOL_A_EVENT_PLANNED))
		json_object_object_add(json, "planned", json_object_new_boolean(true));
	if (covol_event_has(event, COVOL_A_EVENT_ROUTE))
		json_object_object_add(json, "route",
				       json_object_new_string(covol_route_name(event->route)));
	if (covol_event_has(event, COVOL_A_EVENT_REASONS))
		json_object_object_add(json, "reasons", json_reasons(event->reasons));
	return json;
}

static void print_json(const struct covol_event *event)
{
	struct json_object *json = event_to_json(event);

	printf("%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
}

/* The same for people: names and values, as they follow in the JSON. */
static void print_words(const struct covol_event *event)
{
	char text[160];

	printf("%s", covol_event_name(event->type));
	printf(" uuid %s", covol_uuid_format(&event->uuid, text));
	if (covol_event_has(event, COVOL_A_EVENT_OBJECT))
		printf(" object %" PRIu64, event->object);
	if (covol_event_has(event, COVOL_A_EVENT_PEER))
		printf(" peer %" PRIu32, event->peer);
	if (covol_event_has(event, COVOL_A_EVENT_SEQ))
		printf(" seq %" PRIu64, event->seq);
	if (covol_event_has(event, COVOL_A_EVENT_OFFSET))
		printf(" offset %" PRIu64, event->offset);
	if (covol_event_has(event, COVOL_A_EVENT_LENGTH))
		printf(" length %" PRIu64, event->length);
	if (covol_event_has(event, COVOL_A_EVENT_ERROR))
		printf(" error %s", event->error ? strerrorname_np(-event->error) ?: "?" : "-");
	if (covol_event_has(event, COVOL_A_EVENT_PLANNED))
		printf(" planned");
	if (covol_event_has(event, COVOL_A_EVENT_ROUTE))
		printf(" route %s", covol_route_name(event->route));
	if (covol_event_has(event, COVOL_A_EVENT_REASONS))
		printf(" reasons %s", event->reasons ?
		       covol_reasons_format(event->reasons, ",", text, sizeof(text)) : "-");
	printf("\n");
}

static int on_event(const struct covol_event *event, void *data)
{
	struct follower *follower = data;

	if (follower->json)
		print_json(event);
	else
		print_words(event);
	follower->count++;
	return follower->count == follower->limit;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* 1: there are events; 0: the time is over; or a negative errno. deadline < 0: none. */
static int wait_for_events(int fd, int64_t deadline)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int64_t left = -1;
	int ready;

	do {
		if (deadline >= 0) {
			left = deadline - now_ms();
			if (left < 0)
				left = 0;
		}
		ready = poll(&pollfd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready;
}

static int follow(const struct command *self, struct covol *c, struct follower *follower,
		  int64_t deadline)
{
	int result;

	/* Events that come without a pause must not keep us beyond the time either. */
	do {
		result = wait_for_events(covol_event_fd(c), deadline);
		if (result < 0)
			return fail(self, "waiting for events: %s", strerror(-result));
		if (!result)
			break;
		result = covol_event_receive(c, on_event, follower);
		if (fflush(stdout))
			return EXIT_FAILED;	/* nobody reads on; run_cli() says so */
		if (result > 0)
			return EXIT_OK;
		if (result < 0)
			fail(self, "%s", covol_error(c));
		if (result < 0 && result != -ENOBUFS)
			return EXIT_FAILED;
	} while (deadline < 0 || now_ms() < deadline);
	if (follower->limit)
		return fail(self, "only %" PRIu32 " of %" PRIu32 " events came in time",
			    follower->count, follower->limit);
	return EXIT_OK;
}

int kernel_events(const struct command *self, int argc, char **argv)
{
	struct follower follower = { 0 };
	unsigned int timeout_ms;
	struct arg args[] = {
		{ "--json", ARG_FLAG, &follower.json, false, "one JSON object a line" },
		{ "--count", ARG_COUNT, &follower.limit, false, "stop after so many" },
		{ "--timeout", ARG_SECONDS, &timeout_ms, false,
		  "stop after this time; that is a failure if --count is not reached" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	int64_t deadline = -1;
	struct covol *c;

	if (code != GO_ON)
		return code;
	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;
	if (covol_event_subscribe(c))
		return failed(self, c);
	if (given(args, "--timeout"))
		deadline = now_ms() + timeout_ms;

	/* Who has started us can now do what he wants to see the events of. */
	fprintf(stderr, "covol %s: following\n", self->name);
	code = follow(self, c, &follower, deadline);
	covol_close(c);
	return code;
}
