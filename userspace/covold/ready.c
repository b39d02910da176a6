// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <linux/mount.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "ready.h"

#define CONNECT_SECONDS	5

static int listen_here(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
	socklen_t size = sizeof(*address);

	if (fd < 0)
		return -errno;
	*address = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (struct sockaddr *)address, size) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)address, &size))
		error = -errno;
	if (error)
		close(fd);
	return error ? error : fd;
}

static int connect_to(const struct sockaddr_in *address)
{
	const struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		error = -errno;
	if (error)
		close(fd);
	return error ? error : fd;
}

/* Keys that nothing is ever sent with, of the cipher that two nodes agree on. */
static int take_keys(int fd)
{
	static const struct tls12_crypto_info_aes_gcm_128 keys = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};
	static const char ulp[] = "tls";

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, sizeof(ulp)) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof(keys)) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &keys, sizeof(keys)))
		return -errno;
	return 0;
}

int ready_tls(void)
{
	struct sockaddr_in address;
	int listener = listen_here(&address), fd, error;

	if (listener < 0)
		return listener;
	/* Only a socket that is connected takes keys; nobody need accept it. */
	fd = connect_to(&address);
	error = fd < 0 ? fd : take_keys(fd);
	if (fd >= 0)
		close(fd);
	close(listener);
	return error;
}

int ready_file_system(const char *type)
{
	/* The C library has no function for it everywhere. */
	int fd = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
