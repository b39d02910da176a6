// SPDX-License-Identifier: GPL-2.0-only
/*
 * covold.conf.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../../userspace/covold/config.h"
#include "../../userspace/lun/fence.h"
#include "test.h"

static char directory[40];
static char file[64];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/covold-config-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/covold.conf", directory);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void write_drop_in(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s.d", file);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "covold.conf.d/%s", name);
	write_file(path, text);
}

static void test_standard(void **state)
{
	unsigned int processors = sysconf(_SC_NPROCESSORS_ONLN);
	char error[CONFIG_ERROR] = "";
	struct config config;

	(void)state;
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.backend, CONFIG_COROSYNC);
	assert_int_equal(config.node, 1);
	assert_int_equal(config.log_level, LOG_INFO);
	assert_int_equal(config.workers, 64);
	assert_string_equal(config.state_directory, "/var/lib/covol");
	assert_string_equal(config.runtime_directory, "/run/covol");
	assert_string_equal(config.mount_directory, "/run/covol/volumes");
	assert_int_equal(config.port, 7788);
	assert_int_equal(config.lanes, processors > 4 ? 4 : processors);
	assert_null(config.certificate);
	assert_int_equal(config.fence_method, LUN_METHOD_PR);
	assert_int_equal(config.fence_timeout, 60);
	assert_null(config.fences);
	config_free(&config);
}

static void test_file(void **state)
{
	char error[CONFIG_ERROR] = "";
	struct config config;

	(void)state;
	write_file("covold.conf", "# ours\n[cluster]\nbackend = standalone\nnode=64\n\n"
				  "[agent]\nlog_level = debug\nworkers = 4 # few\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.backend, CONFIG_STANDALONE);
	assert_int_equal(config.node, 64);
	assert_int_equal(config.log_level, LOG_DEBUG);
	assert_int_equal(config.workers, 4);
	config_free(&config);
}

/* What is read last counts; in the order of the names. */
static void test_drop_ins(void **state)
{
	char error[CONFIG_ERROR] = "";
	struct config config;

	(void)state;
	write_file("covold.conf", "[agent]\nworkers = 10\nstate_directory = /a\n");
	write_drop_in("20-b.conf", "[agent]\nworkers = 20\n");
	write_drop_in("10-a.conf", "[agent]\nworkers = 30\nruntime_directory = /b c\n");
	write_drop_in("30-c.config", "[agent]\nworkers = 40\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.workers, 20);
	assert_string_equal(config.state_directory, "/a");
	assert_string_equal(config.runtime_directory, "/b c");
	config_free(&config);
	/* Without the file, too. */
	unlink(file);
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.workers, 20);
	config_free(&config);
}

/* A node that could not prove who it is would be of no use. */
static void test_session(void **state)
{
	char error[CONFIG_ERROR] = "";
	struct config config;

	(void)state;
	write_file("covold.conf", "[session]\nport = 1\ncertificate = /c\nkey = /k\n");
	assert_int_equal(config_read(&config, file, error), -EINVAL);
	assert_non_null(strstr(error, "certificate, key and authority go together"));
	config_free(&config);
	write_drop_in("a.conf", "[session]\nauthority = /a\nlanes = 16\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.port, 1);
	assert_int_equal(config.lanes, 16);
	assert_string_equal(config.certificate, "/c");
	assert_string_equal(config.key, "/k");
	assert_string_equal(config.authority, "/a");
	config_free(&config);
}

/* Sections of nodes: lines for the program, in which what is read last counts, too. */
static void test_fence(void **state)
{
	char error[CONFIG_ERROR] = "";
	const struct config_fence *fence;
	struct config config;

	(void)state;
	write_file("covold.conf",
		   "[fence]\nmethod = command\ncommand = /bin/sh\ntimeout = 90\n"
		   "[fence:node1]\nip = 10.0.0.1\npassword = a=b c\n"
		   "[fence:node2]\nip = 10.0.0.2\n");
	write_drop_in("a.conf", "[fence:node1]\nplug = 7\npassword = other\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.fence_method, LUN_METHOD_COMMAND);
	assert_string_equal(config.fence_command, "/bin/sh");
	assert_int_equal(config.fence_timeout, 90);
	fence = config_fence_find(&config, "node1");
	assert_non_null(fence);
	assert_int_equal(fence->count, 3);
	assert_string_equal(fence->options[0], "ip=10.0.0.1");
	assert_string_equal(fence->options[1], "password=other");
	assert_string_equal(fence->options[2], "plug=7");
	fence = config_fence_find(&config, "node2");
	assert_non_null(fence);
	assert_int_equal(fence->count, 1);
	assert_null(config_fence_find(&config, "node3"));
	config_free(&config);

	/* The same key, one behind the other. */
	write_drop_in("a.conf", "[fence:node1]\nplug = 1\n[fence:node2]\nplug = 2\n"
				"[fence:node3]\nplug = 3\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_string_equal(config_fence_find(&config, "node2")->options[1], "plug=2");
	assert_string_equal(config_fence_find(&config, "node3")->options[0], "plug=3");
	config_free(&config);

	write_drop_in("a.conf", "[fence:node1]\npassword = a=b c\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_string_equal(config_fence_find(&config, "node1")->options[1], "password=a=b c");
	config_free(&config);
}

/* Each with the line that it is in, and what is wrong. */
static void test_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *error;	/* behind the file's name */
	} cases[] = {
		{ "node = 1\n", ":1: node: stands before the first [section]" },
		{ "[cluster]\nbackend = x\n",
		  ":2: backend = x: not one of: corosync, standalone" },
		{ "[cluster]\n\n# c\nnodes = 1\n", ":4: [cluster] nodes: no such option" },
		{ "[agent]\nbackend = corosync\n", ":2: [agent] backend: no such option" },
		{ "[cluster]\nnode = 0\n", ":2: node = 0: not a number from 1 to 64" },
		{ "[cluster]\nnode = 65\n", ":2: node = 65: not a number from 1 to 64" },
		{ "[cluster]\nnode = -1\n", ":2: node = -1: not a number from 1 to 64" },
		{ "[cluster]\nnode = 3x\n", ":2: node = 3x: not a number from 1 to 64" },
		{ "[cluster]\nnode =\n", ":2: node = : not a number from 1 to 64" },
		{ "[cluster\nnode = 1\n", ":1: Missing bracket" },
		{ "[agent]\nworkers = 1\n", ":2: workers = 1: not a number from 4 to 1024" },
		{ "[agent]\nlog_level = loud\n",
		  ":2: log_level = loud: not one of: error, warning, notice, info, debug" },
		{ "[agent]\nstate_directory = lib\n",
		  ":2: state_directory = lib: not a path that begins with /" },
		{ "[session]\nlanes = 0\n", ":2: lanes = 0: not a number from 1 to 16" },
		{ "[session]\nlanes = 17\n", ":2: lanes = 17: not a number from 1 to 16" },
		{ "[fence]\nmethod = none\n", ":2: method = none: not one of: pr, command" },
		{ "[fence]\ncommand = fence_ipmilan\n",
		  ":2: command = fence_ipmilan: not a path that begins with /" },
		{ "[fence]\n\ncommand = /no/such/fence\n",
		  ":3: command = /no/such/fence: no program that can be run" },
		{ "[fence]\ncommand = /tmp\n", ":2: command = /tmp: no program that can be run" },
		{ "[fence]\ntimeout = 0\n", ":2: timeout = 0: not a number from 1 to 3600" },
		{ "[fence]\nplug = 1\n", ":2: [fence] plug: no such option" },
		{ "[fence:n1]\naction = on\n",
		  ":2: [fence:n1] action: the agent says what is to be done" },
		{ "[fence:]\nplug = 1\n", ":2: [fence:]: no name of a node" },
		{ "[fence:n1]\nplug =\n", ":2: [fence:n1] plug: not \"name = value\"" },
		{ "[fence:n1]\nplug = 1\nip = 1\nplug = 2\n",
		  ":2: plug: stands in this file once more" },
		{ "[fence:n1]\nplug = 1\n\n[fence:n2]\nplug = 1\n",
		  ":5: [fence:n2] has the same options as [fence:n1]" },
		{ "[fence]\nmethod = command\n", ": [fence] method = command: needs a command" },
	};
	char error[CONFIG_ERROR], expected[CONFIG_ERROR];
	struct config config;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("covold.conf", cases[i].text);
		assert_int_equal(config_read(&config, file, error), -EINVAL);
		snprintf(expected, sizeof(expected), "%s%s", file, cases[i].error);
		assert_string_equal(error, expected);
		config_free(&config);
	}
	/* A drop-in is named, not the file. */
	unlink(file);
	write_drop_in("a.conf", "[agent]\n\nworkers = many\n");
	assert_int_equal(config_read(&config, file, error), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s.d/a.conf:3: workers = many: not a number from 4 to 1024", file);
	assert_string_equal(error, expected);
	config_free(&config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_standard), TEST(test_file),  TEST(test_drop_ins),
		TEST(test_session),  TEST(test_fence), TEST(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
