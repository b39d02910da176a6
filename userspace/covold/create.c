// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../lun/contents.h"
#include "../lun/reservation.h"
#include "create.h"
#include "dm.h"

#define SECTOR		512
#define MKFS_SECONDS	600
#define WINDOW_NAME	64

__attribute__((format(printf, 3, 4)))
static int wrong(struct create *create, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(create->error, sizeof(create->error), format, args);
	va_end(args);
	return error;
}

/* Somebody who has a key there uses it, whatever it holds. */
static int check_reservation(struct create *create, struct lun *lun)
{
	struct lun_pr pr;
	bool used;

	if (lun_pr_read(lun, &pr))
		return 0;
	used = pr.held || pr.count;
	lun_pr_free(&pr);
	return used ? wrong(create, -EEXIST, "%.200s is reserved, or somebody has a key",
			    create->device) :
		      0;
}

static int check_unused(struct create *create, struct lun *lun)
{
	char text[LUN_CONTENTS_LEN];
	int holds = lun_contents(lun, text);

	if (holds < 0)
		return wrong(create, holds, "%s", lun->error);
	if (holds != LUN_HOLDS_NOTHING)
		return wrong(create, -EEXIST, "%.200s holds %.200s", create->device, text);
	return check_reservation(create, lun);
}

/* The place of the volume's data, as a device. */
static int make_window(const struct lun *lun, const struct lun_header *header, const char *name,
		       char path[DM_PATH_LEN])
{
	char table[64];
	uint64_t sectors;
	dev_t number;
	int result;

	snprintf(table, sizeof(table), "%u:%u %llu", major(lun->number), minor(lun->number),
		 (unsigned long long)(header->data_offset / SECTOR));
	result = dm_make(name, header->data_size / SECTOR, "linear", table);
	if (!result)
		result = dm_look(name, &number, &sectors);
	if (!result)
		dm_path(number, path);
	return result;
}

static const char *window_name(const struct create *create, char name[WINDOW_NAME])
{
	snprintf(name, WINDOW_NAME, "covol-make-%s", create->name);
	return name;
}

/* An agent that was killed meanwhile has left it, and it would keep the LUN. */
static int drop_window(struct create *create)
{
	char name[WINDOW_NAME];
	int result = dm_remove(window_name(create, name));

	if (!result || result == -ENXIO)
		return 0;
	return wrong(create, result, "%s, of an earlier try, cannot be removed: %s", name,
		     strerror(-result));
}

static int make_fs(struct create *create, const struct lun *lun)
{
	char name[WINDOW_NAME], path[DM_PATH_LEN], why[200];
	int result;

	window_name(create, name);
	result = make_window(lun, &create->header, name, path);
	if (result)
		return wrong(create, result, "%.200s: no device can be made on it: %s",
			     create->device, strerror(-result));
	result = lun_mkfs(path, create->fs, MKFS_SECONDS, why, sizeof(why));
	if (result)
		wrong(create, result, "%.200s: %s", create->device, why);
	dm_remove(name);
	return result;
}

static int on_error(struct create *create, const struct lun *lun, int result)
{
	return result ? wrong(create, result, "%s", lun->error) : 0;
}

/* Until all of it is there it is no volume. */
static int make(struct create *create, struct lun *lun)
{
	int result = create->force ? 0 : check_unused(create, lun);

	if (!result)
		result = drop_window(create);
	if (!result)
		result = on_error(create, lun, lun_wipe(lun));
	if (!result)
		result = on_error(create, lun,
				  lun_header_init(lun, create->name, create->cluster, create->fs,
						  &create->header));
	if (!result)
		result = make_fs(create, lun);
	return result ? result :
			on_error(create, lun, lun_header_replace(lun, &create->header));
}

/* A copy of another LUN is another volume. */
static int new_identity(struct create *create, struct lun *lun)
{
	struct lun_header fresh;
	int result = lun_header_init(lun, create->header.name, create->cluster,
				     create->header.fs, &fresh);

	/* What was found out about the other's array is not known of this one. */
	if (!result) {
		create->header.uuid = fresh.uuid;
		create->header.array = fresh.array;
	}
	return on_error(create, lun, result);
}

/* Nodes that have a key may be about to write the header, too. */
static int check_idle(struct create *create, struct lun *lun)
{
	struct lun_pr pr;
	int error = lun_pr_read(lun, &pr);
	size_t count = pr.count;

	lun_pr_free(&pr);
	if (error)
		return error == -EOPNOTSUPP ? 0 : on_error(create, lun, error);
	return count ? wrong(create, -EBUSY,
			     "%.200s is in use: %zu keys are registered; stop the volume first",
			     create->device, count) :
		       0;
}

static int adopt(struct create *create, struct lun *lun)
{
	struct lun_header *header = &create->header;
	int result = lun_header_read(lun, header, NULL);
	bool copy = result == -EXDEV, foreign;

	if (result && !copy)
		return on_error(create, lun, result);
	foreign = strcmp(header->cluster, create->cluster);
	if (copy && !create->force)
		return wrong(create, -EXDEV, "%s", lun->error);
	if (foreign && !create->force)
		return wrong(create, -EEXIST, "%.200s is a volume of cluster %s", create->device,
			     header->cluster);
	if (*create->name)
		memcpy(header->name, create->name, sizeof(header->name));
	if (!copy && !foreign && !*create->name)
		return 0;
	result = create->force ? 0 : check_idle(create, lun);
	if (result)
		return result;
	if (copy) {
		result = new_identity(create, lun);
		if (result)
			return result;
	}
	memcpy(header->cluster, create->cluster, sizeof(header->cluster));
	memcpy(header->wwid, lun->wwid, sizeof(header->wwid));
	return on_error(create, lun, lun_header_replace(lun, header));
}

static void on_lun(struct create *create, int (*work)(struct create *create, struct lun *lun))
{
	struct lun lun;

	create->result = lun_open(&lun, create->device);
	if (create->result) {
		wrong(create, create->result, "%s", lun.error);
		return;
	}
	create->result = work(create, &lun);
	lun_close(&lun);
}

void create_volume(struct create *create)
{
	on_lun(create, make);
}

void create_adopt(struct create *create)
{
	on_lun(create, adopt);
}
