// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: its parts come up in the order of their layers and go in
 * reverse.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "blocks.h"
#include "conn.h"
#include "coordinator.h"
#include "debugfs.h"
#include "netlink.h"
#include "pages.h"
#include "hold.h"
#include "serve.h"
#include "session.h"
#include "target.h"

static const struct part {
	int	(*init)(void);
	void	(*exit)(void);
} parts[] = {
	{ covol_pages_init, covol_pages_exit },
	{ covol_conn_init, covol_conn_exit },
	{ covol_session_init, covol_session_exit },
	{ covol_blocks_init, covol_blocks_exit },
	{ covol_coordinator_init, covol_coordinator_exit },
	{ covol_serve_init, covol_serve_exit },
	{ covol_hold_start, covol_hold_stop },
	{ covol_debugfs_init, covol_debugfs_exit },
	{ covol_netlink_init, covol_netlink_exit },
	{ covol_target_init, covol_target_exit },
};

static void stop_parts(unsigned int nr)
{
	while (nr--)
		parts[nr].exit();
}

static int __init covol_init(void)
{
	unsigned int nr;
	int err;

	for (nr = 0; nr < ARRAY_SIZE(parts); nr++) {
		err = parts[nr].init();
		if (err) {
			stop_parts(nr);
			return err;
		}
	}
	return 0;
}

static void __exit covol_exit(void)
{
	stop_parts(ARRAY_SIZE(parts));
	rcu_barrier();		/* objects and sessions freed by kfree_rcu() */
}

module_init(covol_init);
module_exit(covol_exit);

MODULE_DESCRIPTION("Cluster shared volumes: device-mapper target");
MODULE_AUTHOR("The covol authors");
MODULE_LICENSE("GPL");
