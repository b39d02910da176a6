// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel is made to load before it is needed: what it is asked for, and what it says. It
 * is played, as the host's must load nothing.
 */
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../userspace/covold/ready.h"
#include "ready_wrap.h"
#include "test.h"

static struct {
	int ulp_error, keys_error, open_error;
	unsigned int given[2];	/* keys to send, and to receive */
	int fd;			/* that a file system is opened as */
} fake;

static int refuse(int error)
{
	errno = -error;
	return error ? -1 : 0;
}

static void assert_connected(int fd)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);

	assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &size), 0);
	assert_int_equal(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	const struct tls_crypto_info *info = value;

	if (level == SOL_SOCKET)
		return __real_setsockopt(fd, level, name, value, size);
	assert_connected(fd);
	if (level == IPPROTO_TCP) {
		assert_int_equal(name, TCP_ULP);
		assert_string_equal(value, "tls");
		return refuse(fake.ulp_error);
	}
	assert_int_equal(size, sizeof(struct tls12_crypto_info_aes_gcm_128));
	assert_int_equal(info->version, TLS_1_3_VERSION);
	assert_int_equal(info->cipher_type, TLS_CIPHER_AES_GCM_128);
	fake.given[name == TLS_RX]++;
	return refuse(fake.keys_error);
}

long __wrap_syscall(long number, ...)
{
	const char *type;
	va_list args;

	va_start(args, number);
	type = va_arg(args, const char *);
	va_end(args);
	assert_int_equal(number, SYS_fsopen);
	assert_string_equal(type, "xfs");
	return fake.open_error ? refuse(fake.open_error) : fake.fd;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

/* The next descriptor is the one that was next before. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void test_tls(void **state)
{
	int before = next_fd();

	(void)state;
	assert_int_equal(ready_tls(), 0);
	assert_int_equal(fake.given[0], 1);
	assert_int_equal(fake.given[1], 1);
	assert_int_equal(next_fd(), before);
}

static void test_no_tls(void **state)
{
	int before = next_fd();

	(void)state;
	fake.ulp_error = -ENOENT;
	assert_int_equal(ready_tls(), -ENOENT);
	assert_int_equal(fake.given[0], 0);
	fake.ulp_error = 0;
	fake.keys_error = -EOPNOTSUPP;
	assert_int_equal(ready_tls(), -EOPNOTSUPP);
	assert_int_equal(next_fd(), before);
}

static void test_file_system(void **state)
{
	int before = next_fd();

	(void)state;
	fake.fd = dup(STDERR_FILENO);
	assert_int_equal(ready_file_system("xfs"), 0);
	assert_int_equal(next_fd(), before);
	fake.open_error = -ENODEV;
	assert_int_equal(ready_file_system("xfs"), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tls, setup),
		cmocka_unit_test_setup(test_no_tls, setup),
		cmocka_unit_test_setup(test_file_system, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
