// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of images, the names of their devices, and what agents ask each other about them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/covold/attach.h"
#include "../../userspace/covold/image_wire.h"
#include "test.h"

static char top[64], why[IMAGES_ERROR];
static int directory = -1;

static int begin(void **state)
{
	struct stat stat_of;

	(void)state;
	strcpy(top, "/tmp/covol-images-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(stat(top, &stat_of), 0);
	directory = images_open(top, stat_of.st_dev, true, why);
	assert_true(directory >= 0);
	return 0;
}

static int end(void **state)
{
	char command[100];

	(void)state;
	close(directory);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

/* What there is: "NAME SIZE " for each. */
static const char *listing(void)
{
	static char text[400];
	struct image_list list;
	size_t i;

	text[0] = 0;
	assert_int_equal(images_read(directory, &list, why), 0);
	for (i = 0; i < list.count; i++)
		sprintf(text + strlen(text), "%s %llu ", list.entry[i].name,
			(unsigned long long)list.entry[i].size);
	free(list.entry);
	return text;
}

static void touch(const char *name, off_t size)
{
	int fd = openat(directory, name, O_CREAT | O_RDWR, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void test_create(void **state)
{
	struct image_entry a, b, found;
	char file[IMAGES_FILE_LEN];
	struct stat stat_of;

	(void)state;
	assert_int_equal(images_create(directory, "web-2", 1 << 20, &b, why), 0);
	assert_int_equal(images_create(directory, "web-1", 4096, &a, why), 0);
	assert_string_equal(listing(), "web-1 4096 web-2 1048576 ");
	assert_true(a.id > b.id);
	assert_int_equal(images_find(directory, "web-2", &found, why), 0);
	assert_true(found.id == b.id && found.size == 1 << 20 && !found.used);
	assert_int_equal(fstatat(directory, images_file(&b, file), &stat_of, 0), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
	assert_int_equal(images_create(directory, "web-1", 4096, &found, why), -EEXIST);
	assert_string_equal(why, "there is an image web-1");

	assert_int_equal(images_remove(directory, &a, why), 0);
	assert_int_equal(images_find(directory, "web-1", &found, why), -ENOENT);
	assert_string_equal(why, "there is no image web-1");
	assert_int_equal(images_remove(directory, &a, why), -ENOENT);
	assert_string_equal(listing(), "web-2 1048576 ");
}

/* A clock that was set back gives no id a second time, as long as a later one is there. */
static void test_ids(void **state)
{
	struct image_entry entry;

	(void)state;
	touch("99999999999999.late", 512);
	assert_int_equal(images_create(directory, "next", 512, &entry, why), 0);
	assert_true(entry.id == 100000000000000);
}

static void test_others(void **state)
{
	(void)state;
	touch("notes.txt", 512);
	touch("12", 512);
	touch("0.zero", 512);
	touch("12.", 512);
	touch("012.a", 512);
	touch("12.a b", 512);
	touch("99999999999999999999.a", 512);
	touch("13.empty", 511);
	touch("14.odd", 1000);
	assert_int_equal(symlinkat("notes.txt", directory, "15.link"), 0);
	assert_int_equal(mkdirat(directory, "16.directory", 0700), 0);
	assert_string_equal(listing(), "odd 512 ");
}

static void test_elsewhere(void **state)
{
	struct image_entry entry = { .id = 15, .name = "link" };

	(void)state;
	assert_int_equal(images_open(top, 12345678, true, why), -ENXIO);
	assert_non_null(strstr(why, "the volume is not mounted there"));
	assert_int_equal(images_open("/nonexistent", 1, true, why), -ENOENT);
	/* Nobody leads the agent to a file elsewhere. */
	assert_int_equal(symlinkat("/etc/passwd", directory, "15.link"), 0);
	assert_int_equal(images_open_file(directory, &entry, why), -ELOOP);
}

static void test_names(void **state)
{
	const uint8_t uuid[16] = { 0xab, [15] = 1 }, other[16] = { 0 };
	char name[ATTACH_NAME], path[ATTACH_PATH];
	uint64_t id;

	(void)state;
	assert_string_equal(attach_name(uuid, 1700000000000, name),
			    "covol-ab000000-0000-0000-0000-000000000001-1700000000000");
	assert_true(attach_parse(name, uuid, &id));
	assert_true(id == 1700000000000);
	assert_false(attach_parse(name, other, &id));
	assert_false(attach_parse("covol-ab000000-0000-0000-0000-000000000001", uuid, &id));
	assert_false(attach_parse("covol-ab000000-0000-0000-0000-000000000001-", uuid, &id));
	assert_false(attach_parse("covol-ab000000-0000-0000-0000-000000000001-0", uuid, &id));
	assert_false(attach_parse("covol-ab000000-0000-0000-0000-000000000001-1x", uuid, &id));
	assert_string_equal(attach_path("v1", "a", path), "/dev/covol/v1/a");
}

/* ---- the wire ---- */

static int pair[2];

static void open_pair(void)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

static int pass(const struct image_request *request, struct image_request *got)
{
	memset(got, 0, sizeof(*got));
	assert_int_equal(image_request_send(pair[0], request), 0);
	return image_request_receive(pair[1], got);
}

static void test_request(void **state)
{
	struct image_request request = { .op = IMAGE_CREATE, .size = 1 << 30, .name = "web" }, got;

	(void)state;
	open_pair();
	assert_int_equal(pass(&request, &got), 0);
	assert_true(got.op == IMAGE_CREATE && got.size == 1 << 30 && !strcmp(got.name, "web"));
	request.size = 1000;
	assert_int_equal(pass(&request, &got), -EBADMSG);
	request.size = 0;
	assert_int_equal(pass(&request, &got), -EBADMSG);
	request.size = 512;
	strcpy(request.name, "../web");
	assert_int_equal(pass(&request, &got), -EBADMSG);
	memset(request.name, 'a', sizeof(request.name));
	assert_int_equal(pass(&request, &got), -EBADMSG);
	request = (struct image_request){ .op = IMAGE_REMOVE, .nodes = 6, .name = "web" };
	assert_int_equal(pass(&request, &got), 0);
	assert_true(got.nodes == 6);
	request = (struct image_request){ .op = IMAGE_DROP, .id = 7 };
	assert_int_equal(pass(&request, &got), 0);
	assert_true(got.id == 7);
	request.id = 0;
	assert_int_equal(pass(&request, &got), -EBADMSG);
	request = (struct image_request){ .op = IMAGE_OPS };
	assert_int_equal(pass(&request, &got), -EBADMSG);
	/* Half of one, and then no more. */
	assert_int_equal(write(pair[0], "half", 4), 4);
	shutdown(pair[0], SHUT_WR);
	assert_int_equal(image_request_receive(pair[1], &got), -ECONNRESET);
	close_pair();
}

static void test_answer(void **state)
{
	struct image_entry entries[] = {
		{ .id = 1, .size = 512, .used = 4096, .name = "a" },
		{ .id = INT64_MAX, .size = 1ULL << 40, .name = "b" },
	};
	struct image_answer answer = { .list = { entries, 2 } }, got;

	(void)state;
	open_pair();
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), 0);
	assert_int_equal(got.list.count, 2);
	assert_memory_equal(got.list.entry, entries, sizeof(entries));
	free(got.list.entry);

	answer = (struct image_answer){ .error = -EBUSY, .text = "in use" };
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), 0);
	assert_int_equal(got.error, -EBUSY);
	assert_string_equal(got.text, "in use");
	free(got.list.entry);

	answer = (struct image_answer){ .size = 1ULL << 50 };
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), 0);
	assert_int_equal(got.size, answer.size);
	free(got.list.entry);
	answer.size += 1;
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);

	answer = (struct image_answer){ .list = { entries, 1 } };
	strcpy(entries[0].name, "a b");
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);
	strcpy(entries[0].name, "a");
	entries[0].size = 1;
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);
	answer = (struct image_answer){ .error = -5000 };
	assert_int_equal(image_answer_send(pair[0], &answer), 0);
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);
	close_pair();
}

/* So many that nobody would have them: nothing is taken for them. */
static void test_answer_large(void **state)
{
	uint32_t wire[54] = { 0, IMAGES_MAX + 1 };
	struct image_answer got;

	(void)state;
	open_pair();
	assert_int_equal(write(pair[0], wire, sizeof(wire)), sizeof(wire));
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);
	memset(wire, 'a', sizeof(wire));
	memset(wire, 0, 4 * sizeof(*wire));
	assert_int_equal(write(pair[0], wire, sizeof(wire)), sizeof(wire));
	assert_int_equal(image_answer_receive(pair[1], &got), -EBADMSG);
	close_pair();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_create), TEST(test_ids), TEST(test_others), TEST(test_elsewhere),
		cmocka_unit_test(test_names), cmocka_unit_test(test_request),
		cmocka_unit_test(test_answer), cmocka_unit_test(test_answer_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
