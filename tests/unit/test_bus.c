// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent on a bus of the test's own, and the commands that talk to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "../../userspace/covold/bus.h"
#include "cli_test.h"
#include "node.h"

static struct {
	struct node node;
	struct bus *bus;
	struct identity *identity;
	pid_t daemon;
	char address[200];
} rig;

/* ---- images that are played ---- */

static char asked[200];

static void answer(struct image_job *job, const char *what)
{
	const struct image_request *request = &job->request;

	snprintf(asked, sizeof(asked), "%s %d %s %s %llu of %u, %llx", what, request->op,
		 job->volume, request->name, (unsigned long long)request->size, job->coordinator,
		 (unsigned long long)request->nodes);
	if (!strcmp(request->name, "bad")) {
		job->answer.error = -EBUSY;
		strcpy(job->answer.text, "image bad is attached there");
	}
}

static void play_ask(struct image_job *job)
{
	const struct image_entry list[] = {
		{ .id = 7, .size = 1 << 30, .used = 1 << 20, .name = "a" },
		{ .id = 1700000000000, .size = 512, .used = 0, .name = "b" },
	};

	answer(job, "ask");
	if (job->request.op != IMAGE_LIST)
		return;
	job->answer.list.entry = malloc(sizeof(list));
	memcpy(job->answer.list.entry, list, sizeof(list));
	job->answer.list.count = 2;
}

static void play_attach(struct image_job *job)
{
	answer(job, "attach");
	attach_path(job->volume, job->request.name, job->path);
}

static void play_detach(struct image_job *job)
{
	answer(job, "detach");
}

static const struct image_driver image_driver = {
	.ask = play_ask, .attach = play_attach, .detach = play_detach,
};

/* ---- the bus ---- */

static const char *const config[] = {
	"<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>",
	"<policy context='default'><allow send_destination='*'/><allow own='*'/></policy>",
	"<policy context='default'><allow eavesdrop='true'/></policy></busconfig>",
};

static void start_daemon(void)
{
	char path[80], option[100];
	char *const argv[] = { "dbus-daemon", option, "--nofork", "--print-address", NULL };
	posix_spawn_file_actions_t files;
	int pipes[2];
	FILE *file;
	ssize_t got;
	size_t i;

	snprintf(path, sizeof(path), "%s/bus.conf", rig.node.directory);
	snprintf(option, sizeof(option), "--config-file=%s", path);
	file = fopen(path, "w");
	assert_non_null(file);
	for (i = 0; i < ARRAY_SIZE(config); i++)
		fputs(config[i], file);
	fclose(file);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, pipes[1], STDOUT_FILENO);
	/* It complains when it may not raise a limit. */
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawnp(&rig.daemon, argv[0], &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(pipes[1]);
	got = read(pipes[0], rig.address, sizeof(rig.address) - 1);
	assert_true(got > 0);
	rig.address[got - 1] = 0;
	close(pipes[0]);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", rig.address, 1);
}

static void on_changed(void *data)
{
	(void)data;
	if (rig.bus)
		bus_changed(rig.bus);
}

static sd_bus *connect_to(const char *address)
{
	sd_bus *bus;

	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_address(bus, address) >= 0);
	assert_true(sd_bus_set_bus_client(bus, true) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	return bus;
}

static bool has_owner(void)
{
	sd_bus *bus = connect_to(rig.address);
	sd_bus_message *reply = NULL;
	int has = 0;

	assert_true(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
				       "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
				       "org.covol") >= 0);
	assert_true(sd_bus_message_read(reply, "b", &has) >= 0);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return has;
}

static void begin_bus(void)
{
	assert_int_equal(bus_open(&rig.bus, rig.node.event, rig.node.pool, rig.node.runner,
				  rig.identity, &image_driver), 0);
}

/* And wait until it has its name. */
static void open_bus(void)
{
	begin_bus();
	until(&rig.node, has_owner());
}

static int bus_setup(void **state)
{
	setup(state);
	memset(&rig, 0, sizeof(rig));
	node_init(&rig.node);
	start_daemon();
	rig.node.changed = on_changed;
	node_begin(&rig.node);
	open_bus();
	until(&rig.node, rig.node.views);
	bus_group(rig.bus, rig.node.group, NODE);
	return 0;
}

static int bus_teardown(void **state)
{
	bus_close(rig.bus);
	rig.bus = NULL;
	node_end(&rig.node);
	node_exit(&rig.node);
	kill(rig.daemon, SIGTERM);
	waitpid(rig.daemon, NULL, 0);
	return teardown(state);
}

/* ---- commands, while the loop runs ---- */

struct running {
	const char *line;
	int code;
	atomic_bool ended;
};

static void *run(void *data)
{
	struct running *running = data;

	running->code = covol(running->line);
	running->ended = true;
	return NULL;
}

static int ask(const char *line)
{
	struct running running = { .line = line };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, &running), 0);
	until(&rig.node, running.ended);
	pthread_join(thread, NULL);
	return running.code;
}

static void assert_refused(const char *line, const char *why)
{
	assert_int_equal(ask(line), EXIT_FAILED);
	assert_string_equal(out, "");
	assert_says(err, why);
}

static void assert_done(const char *line)
{
	if (ask(line) != EXIT_OK)
		fail_msg("%s: %s", line, err);
	assert_string_equal(err, "");
}

static void added(void *data, int error)
{
	assert_int_equal(error, 0);
	*(bool *)data = true;
}

static void add(unsigned int number)
{
	struct own_event event = { .type = OWN_EV_ADD, .uuid = { 0xab, [15] = number } };
	bool done = false;

	snprintf(event.name, sizeof(event.name), "v%u", number);
	runner_request(rig.node.runner, &event, added, &done);
	until(&rig.node, done);
}

static struct own_volume *first(void)
{
	return ownership_volume(runner_state(rig.node.runner), 1);
}

static bool is_online(void)
{
	return first()->phase == OWN_ONLINE && first()->member[NODE - 1].route == OWN_ROUTE_DIRECT;
}

static void test_life(void **state)
{
	char name[64];

	(void)state;
	gethostname(name, sizeof(name));
	assert_done("volume list --json");
	assert_json("{\"volumes\":[]}", NULL);
	/* Without a volume there are still nodes. */
	assert_done("status");
	assert_says(out, "NODE");
	assert_says(out, name);
	assert_says(out, "online\n");
	assert_null(strstr(out, "\n\n"));
	add(1);
	assert_done("volume list --json");
	assert_json("{\"volumes\":[{\"name\":\"v1\",",
		    "\"uuid\":\"ab000000-0000-0000-0000-000000000001\",\"phase\":\"stopped\",",
		    "\"coordinator\":null}]}", NULL);
	assert_done("volume start v1");
	until(&rig.node, is_online());
	assert_done("status --json");
	squeeze(out);
	assert_says(out, "{\"status\":[{\"volume\":\"v1\",\"node\":\"");
	assert_says(out, name);
	assert_says(out, "\"state\":\"direct\",\"reasons\":[],\"coordinator\":\"");
	assert_says(out, "\"phase\":\"online\",\"since\":\"20");
	assert_says(out, "\"}],\"nodes\":[{\"node\":\"");
	assert_says(out, "\"id\":5,\"state\":\"online\"}]}");
	assert_done("status");
	assert_says(out, "online\n\nVOLUME");
	assert_says(out, "direct");
	/* By its uuid, too. */
	assert_done("volume stop ab000000-0000-0000-0000-000000000001");
	until(&rig.node, first()->phase == OWN_STOPPED);
	assert_done("status --json");
	squeeze(out);
	assert_says(out, "\"state\":\"unavailable\",\"reasons\":[\"admin\"],\"coordinator\":null");
	assert_done("volume forget v1");
	assert_done("volume list");
	assert_string_equal(out, "");
}

static void test_wishes(void **state)
{
	(void)state;
	add(1);
	assert_done("volume start v1");
	until(&rig.node, is_online());
	assert_done("volume redirect on v1");
	assert_true(first()->redirect);
	assert_done("volume redirect off v1");
	assert_false(first()->redirect);
	assert_done("volume prefer v1 --nodes 5,6 --never 7");
	assert_true(first()->preferred == (own_bit(5) | own_bit(6)));
	assert_true(first()->excluded == own_bit(7));
	assert_done("maintenance enter v1");
	until(&rig.node, first()->phase == OWN_MAINTENANCE);
	assert_done("maintenance leave v1");
	until(&rig.node, is_online());
	assert_done("volume move v1 5");
	assert_int_equal(first()->placed, 5);
}

static void test_fence_policy(void **state)
{
	(void)state;
	assert_done("fence show --json");
	assert_json("{\"fence\":[{\"policy\":\"on-demand\"}]}", NULL);
	assert_done("fence always");
	assert_true(runner_state(rig.node.runner)->fence_always);
	assert_done("fence show");
	assert_says(out, "always\n");
	assert_done("fence on-demand");
	assert_false(runner_state(rig.node.runner)->fence_always);
	assert_int_equal(ask("fence always v1"), EXIT_USAGE);
}

static void test_refused(void **state)
{
	(void)state;
	add(1);
	assert_refused("volume start v2", "v2: there is no such volume");
	assert_refused("volume move v1 5", "not as the volume is now");
	assert_refused("volume move v1 nobody", "there is no such node");
	assert_refused("maintenance enter v1", "not as the volume is now");
	assert_refused("volume prefer v1 --nodes 5 --never 5", "Invalid argument");
	assert_done("volume start v1");
	assert_refused("volume forget v1", "not as the volume is now");
	assert_refused("volume create v2 sdb", "the device is no path");

	assert_refused("volume create .x /dev/sdb", "a name has");
	assert_refused("volume create v2 /dev/sdb --fs btrfs", "xfs or ext4");
	assert_refused("volume create v2 /dev/null", "/dev/null");
	assert_refused("volume adopt /dev/null", "/dev/null");
	/* Before anything is looked at, or written. */
	assert_refused("volume create v1 /dev/null --force", "there is a volume of that name");
	assert_refused("volume adopt /dev/null --name v1", "there is a volume of that name");
	assert_int_equal(runner_state(rig.node.runner)->count, 1);
}

/* What this side knows of nodes that are not here. */
static void test_nodes(void **state)
{
	struct ownership *own = runner_state(rig.node.runner);
	own_nodes present = own->present;

	(void)state;
	own->absent = own_bit(7);
	assert_done("status --json");
	squeeze(out);
	assert_says(out, "{\"node\":\"7\",\"id\":7,\"state\":\"agent-lost\"}]}");
	own->absent = 0;
	own->present = 0;
	assert_done("status --json");
	squeeze(out);
	assert_says(out, "\"id\":5,\"state\":\"node-lost\"}]}");
	own->present = present;
}

/* What is wrong with the node is said beside the table. */
static void test_trouble(void **state)
{
	struct config none = { 0 };

	(void)state;
	assert_done("status");
	bus_close(rig.bus);
	assert_int_equal(identity_open(&rig.identity, rig.node.event, rig.node.pool, &none), 0);
	open_bus();
	identity_name(rig.identity, "n5");
	until(&rig.node, *identity_trouble(rig.identity));
	assert_int_equal(ask("status --json"), EXIT_OK);
	assert_string_equal(err,
			    "covol status: this node has no certificate, and so no sessions\n");
	squeeze(out);
	assert_says(out, "{\"status\":[],\"nodes\":[");
	bus_close(rig.bus);
	identity_close(rig.identity);
	rig.identity = NULL;
	open_bus();
}

static void assert_asked(const char *line, const char *what)
{
	assert_done(line);
	assert_string_equal(asked, what);
}

static void test_images(void **state)
{
	(void)state;
	add(1);
	assert_done("volume start v1");
	until(&rig.node, is_online());
	/* Node 5 is the coordinator, and there is no other. */
	assert_asked("image create v1 a --size 1G", "ask 2 v1 a 1073741824 of 5, 0");
	assert_asked("image remove v1 a", "ask 3 v1 a 0 of 5, 0");
	assert_asked("image attach v1 a", "attach 1 v1 a 0 of 5, 0");
	assert_string_equal(out, "/dev/covol/v1/a\n");
	assert_asked("image detach v1 a", "detach 1 v1 a 0 of 5, 0");
	assert_done("image list v1 --json");
	squeeze(out);
	assert_json("{\"images\":[{\"name\":\"a\",\"id\":7,\"size\":1073741824,\"used\":1048576,",
		    "\"device\":null},{\"name\":\"b\",\"id\":1700000000000,",
		    "\"size\":512,\"used\":0,\"device\":null}]}", NULL);
	assert_done("image list v1");
	assert_says(out, "1.0M");

	assert_refused("image remove v1 bad", "image bad is attached there");
	assert_refused("image attach v2 a", "v2: there is no such volume");
	assert_refused("image attach v1 ../a", "a name has");
	assert_refused("image create v1 a --size 1000", "sectors of 512 bytes");
	assert_int_equal(ask("image create v1 a --size 0"), EXIT_USAGE);
	assert_int_equal(ask("image create v1 a"), EXIT_USAGE);
}

static void test_nobody(void **state)
{
	(void)state;
	bus_close(rig.bus);
	rig.bus = NULL;
	assert_refused("status", "covold does not run on this node");
	open_bus();
	/* Without a group there is nothing to say who this is. */
	assert_refused("volume create v1 /dev/null", "there is no group yet");
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere", 1);
	assert_refused("status", "the system bus:");
}

/* Somebody listens, and never says a word: the loop goes on. */
static void test_mute(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char address[200];
	time_t start;
	int fd;

	(void)state;
	bus_close(rig.bus);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/mute", rig.node.directory);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	snprintf(address, sizeof(address), "unix:path=%s", at.sun_path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	start = time(NULL);
	begin_bus();
	bus_group(rig.bus, rig.node.group, NODE);
	assert_in_range(time(NULL) - start, 0, 5);
	add(1);
	bus_changed(rig.bus);
	assert_in_range(time(NULL) - start, 0, 5);
	/* It hangs up. */
	close(fd);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", rig.address, 1);
	until(&rig.node, has_owner());
	assert_in_range(time(NULL) - start, 0, 20);
	assert_done("volume list");
	assert_says(out, "v1");
}

/* Another process has the name; when that is gone it is this one's. */
static void test_name(void **state)
{
	sd_bus *other = connect_to(rig.address);
	time_t limit;

	(void)state;
	bus_close(rig.bus);
	rig.bus = NULL;
	until(&rig.node, !has_owner());
	assert_true(sd_bus_request_name(other, "org.covol", 0) >= 0);
	begin_bus();
	bus_group(rig.bus, rig.node.group, NODE);
	for (limit = time(NULL) + 3; time(NULL) < limit;)
		assert_true(sd_event_run(rig.node.event, 20000) >= 0);
	assert_true(sd_bus_release_name(other, "org.covol") >= 0);
	until(&rig.node, has_owner());
	assert_done("volume list");
	sd_bus_flush_close_unref(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_setup, bus_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_life), TEST(test_wishes), TEST(test_refused), TEST(test_images),
		TEST(test_nobody), TEST(test_trouble), TEST(test_nodes),
		TEST(test_fence_policy), TEST(test_mute), TEST(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
