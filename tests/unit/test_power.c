// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node is switched off by a program, from the configuration to what the program is told.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/covold/power.h"
#include "test.h"

static char directory[40];
static char text[POWER_TEXT];
static struct config config;

static void path_of(char path[80], const char *name)
{
	snprintf(path, 80, "%s/%s", directory, name);
}

/* What it does for "off" and for "status"; what it is asked it writes down. */
static void write_program(const char *off, const char *status)
{
	char path[80];
	FILE *stream;

	path_of(path, "fence");
	stream = fopen(path, "w");
	assert_non_null(stream);
	fprintf(stream,
		"#!/bin/sh\ninput=$(cat)\necho $input >>%s/asked\ncase $input in\n"
		"*action=off) %s ;;\n*action=status) %s ;;\nesac\n",
		directory, off, status);
	fclose(stream);
	assert_int_equal(chmod(path, 0700), 0);
}

static void assert_asked(const char *expected)
{
	char path[80], asked[512] = "";
	FILE *stream;

	path_of(path, "asked");
	stream = fopen(path, "r");
	if (stream) {
		assert_true(fread(asked, 1, sizeof(asked) - 1, stream) > 0);
		fclose(stream);
	}
	unlink(path);
	assert_string_equal(asked, expected);
}

static void assert_says(const char *says)
{
	if (!strstr(text, says))
		fail_msg("\"%s\" is not in \"%s\"", says, text);
	assert_null(strstr(text, "secret"));
}

static int setup(void **state)
{
	char path[80], error[CONFIG_ERROR];
	FILE *stream;

	(void)state;
	strcpy(directory, "/tmp/covold-power-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	write_program("exit 0", "exit 2");
	path_of(path, "covold.conf");
	stream = fopen(path, "w");
	fprintf(stream,
		"[fence]\nmethod = command\ncommand = %s/fence\ntimeout = 1\n"
		"[fence:node1]\nplug = 1\n[fence:node2]\npassword = secret\nplug = 2\n",
		directory);
	fclose(stream);
	return config_read(&config, path, error);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	config_free(&config);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static int off(const char *node)
{
	return power_off(&config, node, "node1", text);
}

/* First off, then status; as often as one likes. */
static void test_off(void **state)
{
	(void)state;
	assert_int_equal(off("node2"), 0);
	assert_says("node2: ");
	assert_says("/fence says that the node is off");
	assert_asked("password=secret plug=2 action=off\npassword=secret plug=2 action=status\n");
	assert_int_equal(off("node2"), 0);
	assert_asked("password=secret plug=2 action=off\npassword=secret plug=2 action=status\n");
}

/* Who is not off is not fenced, whatever was said before. */
static void test_not_off(void **state)
{
	(void)state;
	write_program("echo 'no answer' >&2; exit 1", "exit 2");
	assert_int_equal(off("node2"), -EIO);
	assert_says("action=off ended with status 1, not 0: \"no answer\"");
	assert_asked("password=secret plug=2 action=off\n");
	write_program("exit 0", "exit 0");
	assert_int_equal(off("node2"), -EIO);
	assert_says("action=status ended with status 0, not 2");
	write_program("exit 0", "exit 1");
	assert_int_equal(off("node2"), -EIO);
	write_program("exit 0", "kill -9 $$");
	assert_int_equal(off("node2"), -EIO);
	assert_says("status 137");
	write_program("exit 0", "sleep 1000");
	assert_int_equal(off("node2"), -ETIMEDOUT);
	assert_says("action=status took longer than 1 s and was killed");
	write_program("sleep 1000", "exit 2");
	assert_int_equal(off("node2"), -ETIMEDOUT);
	assert_says("action=off took longer");
}

/* Nothing is run. */
static void test_nobody(void **state)
{
	char path[80];

	(void)state;
	assert_int_equal(off("node1"), -EINVAL);
	assert_says("this node itself");
	assert_int_equal(off("node3"), -ENOENT);
	assert_says("no section [fence:node3]");
	assert_asked("");
	path_of(path, "fence");
	unlink(path);
	assert_int_equal(off("node2"), -ENOENT);
	assert_says("there is no program");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = { TEST(test_off), TEST(test_not_off), TEST(test_nobody) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
