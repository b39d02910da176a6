/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions before which test_peer.c waits, and in which a
 * session of test_connect.c's breaks; beside those of tls_test.h.
 */
#ifndef COVOL_TEST_PEER_WRAP_H
#define COVOL_TEST_PEER_WRAP_H

#include <covol/libcovol.h>

int __real_covol_session_new(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     const int *lanes, unsigned int count);
int __wrap_covol_session_new(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     const int *lanes, unsigned int count);
void __real_covol_close(struct covol *c);
void __wrap_covol_close(struct covol *c);

#endif
