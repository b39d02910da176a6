/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the linker's --wrap makes of corosync's functions that test_corosync.c answers itself.
 */
#ifndef COVOL_TEST_COROSYNC_WRAP_H
#define COVOL_TEST_COROSYNC_WRAP_H

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <corosync/votequorum.h>

cs_error_t __wrap_cmap_initialize(cmap_handle_t *handle);
cs_error_t __wrap_cmap_finalize(cmap_handle_t handle);
cs_error_t __wrap_cmap_get_string(cmap_handle_t handle, const char *name, char **value);
cs_error_t __wrap_cmap_get_uint32(cmap_handle_t handle, const char *name, uint32_t *value);
cs_error_t __wrap_cmap_get_uint8(cmap_handle_t handle, const char *name, uint8_t *value);
cs_error_t __wrap_cmap_iter_init(cmap_handle_t handle, const char *prefix,
				 cmap_iter_handle_t *iter);
cs_error_t __wrap_cmap_iter_next(cmap_handle_t handle, cmap_iter_handle_t iter, char name[],
				 size_t *length, cmap_value_types_t *type);
cs_error_t __wrap_cmap_iter_finalize(cmap_handle_t handle, cmap_iter_handle_t iter);
cs_error_t __wrap_quorum_model_initialize(quorum_handle_t *handle, quorum_model_t model,
					  quorum_model_data_t *data, uint32_t *type,
					  void *context);
cs_error_t __wrap_quorum_finalize(quorum_handle_t handle);
cs_error_t __wrap_quorum_context_get(quorum_handle_t handle, const void **context);
cs_error_t __wrap_quorum_fd_get(quorum_handle_t handle, int *fd);
cs_error_t __wrap_quorum_trackstart(quorum_handle_t handle, unsigned int flags);
cs_error_t __wrap_votequorum_initialize(votequorum_handle_t *handle,
					votequorum_callbacks_t *callbacks);
cs_error_t __wrap_votequorum_finalize(votequorum_handle_t handle);
cs_error_t __wrap_votequorum_getinfo(votequorum_handle_t handle, unsigned int node,
				     struct votequorum_info *info);
cs_error_t __wrap_cpg_model_initialize(cpg_handle_t *handle, cpg_model_t model,
				       cpg_model_data_t *data, void *context);
cs_error_t __wrap_cpg_finalize(cpg_handle_t handle);
cs_error_t __wrap_cpg_context_get(cpg_handle_t handle, void **context);
cs_error_t __wrap_cpg_fd_get(cpg_handle_t handle, int *fd);
cs_error_t __wrap_cpg_local_get(cpg_handle_t handle, unsigned int *node);
cs_error_t __wrap_cpg_join(cpg_handle_t handle, const struct cpg_name *name);

#endif
