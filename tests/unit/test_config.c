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
	assert_null(config.certificate);
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
	write_drop_in("a.conf", "[session]\nauthority = /a\n");
	assert_int_equal(config_read(&config, file, error), 0);
	assert_int_equal(config.port, 1);
	assert_string_equal(config.certificate, "/c");
	assert_string_equal(config.key, "/k");
	assert_string_equal(config.authority, "/a");
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
		TEST(test_session),  TEST(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
