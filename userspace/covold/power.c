// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lun/fence.h"
#include "power.h"

int power_off(const struct config *config, const char *node, const char *self,
	      char text[POWER_TEXT])
{
	const struct config_fence *fence = config_fence_find(config, node);
	struct lun_fence_command command = {
		.program = config->fence_command, .timeout = config->fence_timeout,
	};
	char why[LUN_ERROR_LEN];
	int error;

	if (!strcmp(node, self)) {
		snprintf(text, POWER_TEXT, "not fenced: %.64s is this node itself", node);
		return -EINVAL;
	}
	if (!fence) {
		snprintf(text, POWER_TEXT,
			 "not fenced: covold.conf has no section [fence:%.64s]", node);
		return -ENOENT;
	}
	command.options = (const char *const *)fence->options;
	command.count = fence->count;
	error = lun_fence_command(&command, why, sizeof(why));
	snprintf(text, POWER_TEXT, "%.63s: %.*s", node, POWER_TEXT - 66, why);
	return error;
}
