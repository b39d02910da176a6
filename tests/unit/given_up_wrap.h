/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of functions that test_given_up.c and test_unmount.c answer
 * themselves.
 */
#ifndef COVOL_TEST_GIVEN_UP_WRAP_H
#define COVOL_TEST_GIVEN_UP_WRAP_H

#include "../../userspace/covold/device.h"
#include "../../userspace/covold/kernel.h"

int __wrap_covol_volume_get(struct covol *c, const struct covol_uuid *uuid,
			    struct covol_volume *volume);
int __wrap_covol_volume_set(struct covol *c, const struct covol_volume *volume,
			    unsigned int fields);
int __wrap_covol_session_get(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     struct covol_session *session);
int __wrap_covol_session_dump(struct covol *c, const struct covol_uuid *uuid, covol_session_fn fn,
			      void *data);
int __wrap_covol_session_del(struct covol *c, const struct covol_uuid *uuid, uint32_t peer,
			     bool forget);
int __wrap_device_break(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR]);
int __wrap_device_create(const struct covol_volume *volume, char error[DEVICE_ERROR]);
int __wrap_device_is_mounted(const uint8_t uuid[COVOL_UUID_LEN], const char *directory);
int __wrap_device_remove(const uint8_t uuid[COVOL_UUID_LEN], char error[DEVICE_ERROR]);
int __wrap_device_unmount(const uint8_t uuid[COVOL_UUID_LEN], const char *directory, bool broken,
			  char error[DEVICE_ERROR]);
enum own_result __wrap_kernel_images_break(struct kernel_task *t);
enum own_result __wrap_kernel_images_clear(struct kernel_task *t);
enum own_result __wrap_kernel_images_recall(struct kernel_task *t);
enum own_result __wrap_kernel_images_release(struct kernel_task *t);
enum own_result __wrap_kernel_check_key(struct kernel_task *t);
enum own_result __wrap_kernel_register(struct kernel_task *t);

#endif
