// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol lun show: what a LUN is and holds, who may write to it. For support; needs no agent, and
 * changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "../lun/contents.h"
#include "../lun/reservation.h"
#include "cli.h"

/* What was found; what was not has a sentence. */
struct sheet {
	struct lun lun;
	char product[LUN_PRODUCT_LEN];
	int holds;
	char contents[LUN_CONTENTS_LEN];
	int header_error;
	char header_says[LUN_ERROR_LEN];
	bool has_header;
	struct lun_header header;
	struct lun_copies copies;
	int pr_error;
	char pr_says[LUN_ERROR_LEN];
	struct lun_pr pr;
};

static const char *const transports[] = { "other", "scsi", "nvme" };
static const char *const holds[] = { "nothing", "volume", "known", "data" };
static const char *const copy_states[] = { "good", "none", "damaged", "newer" };
static const char *const types[] = {
	"unknown", "write-exclusive", "exclusive-access", "write-exclusive-registrants-only",
	"exclusive-access-registrants-only", "write-exclusive-all-registrants",
	"exclusive-access-all-registrants",
};

static void look(struct sheet *sheet)
{
	struct lun *lun = &sheet->lun;

	lun_product(lun, "/sys", sheet->product);
	sheet->holds = lun_contents(lun, sheet->contents);
	if (sheet->holds < 0)
		snprintf(sheet->contents, sizeof(sheet->contents), "%.500s", lun->error);
	sheet->header_error = lun_header_read(lun, &sheet->header, &sheet->copies);
	if (sheet->header_error)
		snprintf(sheet->header_says, sizeof(sheet->header_says), "%s", lun->error);
	sheet->has_header = !sheet->header_error || sheet->header_error == -EROFS ||
			    sheet->header_error == -EXDEV || sheet->header_error == -ERANGE;
	sheet->pr_error = lun_pr_read(lun, &sheet->pr);
	if (sheet->pr_error)
		snprintf(sheet->pr_says, sizeof(sheet->pr_says), "%s", lun->error);
}

static const char *format_time(uint64_t seconds, char text[32])
{
	time_t at = seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&at, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, 32, "never");
	return text;
}

static const char *type_name(const struct lun_pr *pr)
{
	return types[pr->type < ARRAY_SIZE(types) ? pr->type : 0];
}

/* Were both copies read? A LUN that could not be read has none. */
static bool has_copies(const struct sheet *sheet)
{
	return sheet->header_error != -ENOLINK && sheet->header_error != -EIO;
}

/* How often the key at this place is there; 0 if it has been before. */
static unsigned int times(const struct lun_pr *pr, size_t at)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < pr->count; i++) {
		if (pr->keys[i] != pr->keys[at])
			continue;
		if (i < at)
			return 0;
		count++;
	}
	return count;
}

static uint16_t cluster_of(const struct sheet *sheet)
{
	return sheet->has_header ? lun_cluster_id(sheet->header.cluster) : 0;
}

/* ---- for people ---- */

static void print_device(const struct sheet *sheet)
{
	const struct lun *lun = &sheet->lun;
	char size[SIZE_TEXT_LEN];
	size_t i;

	printf("%-16s%s\n", "device", lun->device);
	printf("%-16s%s\n", "product", sheet->product[0] ? sheet->product : "unknown");
	printf("%-16s%s\n", "WWID", lun->wwid[0] ? lun->wwid : "none");
	printf("%-16s%s, blocks of %u\n", "size", format_size(lun->size, size), lun->block);
	printf("%-16s%s%s, by", "paths", transports[lun->transport],
	       lun->multipath ? ", multipath" : "");
	for (i = 0; i < lun->paths; i++)
		printf(" %s", lun->path[i].name);
	printf("\n");
}

static void print_copies(const struct sheet *sheet)
{
	const struct lun_copy *copy;
	unsigned int i;

	for (i = 0; i < LUN_HEADER_COPIES; i++) {
		copy = &sheet->copies.copy[i];
		printf("copy %-11u%s", i, copy_states[copy->state]);
		if (copy->why)
			printf(": %s", copy->why);
		if (copy->generation)
			printf(", generation %" PRIu64, copy->generation);
		printf("\n");
	}
}

/* Of what was tested, and whether it is that still. */
static void print_drain(const struct lun_array *array, const char *product)
{
	char at[32];

	printf("%-16s%s", "drain", lun_drain_name(array->drain));
	if (array->drain == LUN_DRAIN_WAIT)
		printf(" %u", array->wait);
	printf(", %squalified (%s)", array->qualified ? "" : "not ",
	       format_time(array->qualified_at, at));
	if (array->qualified && !lun_array_shown(array, product))
		printf(", which does not count: it was for %s",
		       array->product[0] ? array->product : "an unknown product");
	printf("\n");
}

static void print_header(const struct lun_header *header, const char *product)
{
	char uuid[COVOL_UUID_TEXT_LEN], size[SIZE_TEXT_LEN], at[32];

	printf("%-16s%s\n", "name", header->name);
	printf("%-16s%s\n", "uuid", covol_uuid_format(&header->uuid, uuid));
	printf("%-16s%s\n", "cluster", header->cluster);
	printf("%-16s%" PRIu64 ", of node %u\n", "epoch", header->epoch, header->coordinator);
	printf("%-16s%s, %s\n", "file system", lun_fs_name(header->fs),
	       format_size(header->data_size, size));
	printf("%-16s%s on %s\n", "made", format_time(header->created, at),
	       header->wwid[0] ? header->wwid : "a LUN without WWID");
	print_drain(&header->array, product);
	if (header->compatible | header->ro_compatible | header->incompatible)
		printf("%-16scompatible 0x%x, read-only compatible 0x%x, incompatible 0x%x\n",
		       "features", header->compatible, header->ro_compatible,
		       header->incompatible);
}

static void print_keys(const struct sheet *sheet)
{
	const struct lun_pr *pr = &sheet->pr;
	char text[LUN_KEY_TEXT_LEN];
	unsigned int count;
	size_t i;

	if (sheet->pr_error) {
		printf("%-16s%s\n", "reservation", sheet->pr_says);
		return;
	}
	printf("%-16s%s\n", "reservation", pr->held ? type_name(pr) : "none");
	for (i = 0; i < pr->count; i++) {
		count = times(pr, i);
		if (count)
			printf("%-16s%s, by %u path%s\n", "key",
			       lun_key_format(pr->keys[i], cluster_of(sheet), text), count,
			       count == 1 ? "" : "s");
	}
}

static void print_sheet(const struct sheet *sheet)
{
	print_device(sheet);
	printf("%-16s%s\n", "holds", sheet->contents[0] ? sheet->contents : "nothing");
	if (sheet->header_error && sheet->header_error != -ENODATA)
		printf("%-16s%s\n", "header", sheet->header_says);
	if (has_copies(sheet) && sheet->header_error != -ENODATA)
		print_copies(sheet);
	if (sheet->has_header)
		print_header(&sheet->header, sheet->product);
	print_keys(sheet);
}

/* ---- for programs ---- */

/* Out of memory ends the program, as with tables. */
static void add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	add(object, name, text && text[0] ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *name, uint64_t number)
{
	add(object, name, json_object_new_uint64(number));
}

static struct json_object *json_header(const struct lun_header *header)
{
	struct json_object *object = json_object_new_object();
	char uuid[COVOL_UUID_TEXT_LEN];

	add_text(object, "name", header->name);
	add_text(object, "uuid", covol_uuid_format(&header->uuid, uuid));
	add_text(object, "cluster", header->cluster);
	add_text(object, "wwid", header->wwid);
	add_number(object, "generation", header->generation);
	add_number(object, "epoch", header->epoch);
	add_number(object, "coordinator", header->coordinator);
	add_text(object, "filesystem", lun_fs_name(header->fs));
	add_number(object, "data_offset", header->data_offset);
	add_number(object, "data_size", header->data_size);
	add_number(object, "created", header->created);
	add_text(object, "drain", lun_drain_name(header->array.drain));
	add_number(object, "wait", header->array.wait);
	add(object, "qualified", json_object_new_boolean(header->array.qualified));
	add_number(object, "qualified_at", header->array.qualified_at);
	add_text(object, "qualified_product", header->array.product);
	add_number(object, "compatible", header->compatible);
	add_number(object, "ro_compatible", header->ro_compatible);
	add_number(object, "incompatible", header->incompatible);
	return object;
}

static struct json_object *json_copies(const struct lun_copies *copies)
{
	struct json_object *list = json_object_new_array(), *object;
	unsigned int i;

	for (i = 0; i < LUN_HEADER_COPIES; i++) {
		object = json_object_new_object();
		add_number(object, "place", lun_header_place(i));
		add_text(object, "state", copy_states[copies->copy[i].state]);
		add_number(object, "generation", copies->copy[i].generation);
		add_text(object, "why", copies->copy[i].why);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *json_keys(const struct sheet *sheet)
{
	struct json_object *list = json_object_new_array(), *object;
	const struct lun_pr *pr = &sheet->pr;
	uint16_t cluster = cluster_of(sheet);
	struct lun_key parts;
	char text[24];
	size_t i;

	for (i = 0; i < pr->count; i++) {
		if (!times(pr, i))
			continue;
		object = json_object_new_object();
		snprintf(text, sizeof(text), "0x%016" PRIx64, pr->keys[i]);
		add_text(object, "key", text);
		if (lun_key_parse(pr->keys[i], &parts) &&
		    (!cluster || parts.cluster == cluster)) {
			add_number(object, "node", parts.node);
			add_number(object, "incarnation", parts.incarnation);
		} else {
			add_text(object, "node", NULL);
			add_text(object, "incarnation", NULL);
		}
		add_number(object, "paths", times(pr, i));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *json_sheet(const struct sheet *sheet)
{
	struct json_object *object = json_object_new_object(), *paths = json_object_new_array();
	const struct lun *lun = &sheet->lun;
	size_t i;

	add_text(object, "device", lun->device);
	add_text(object, "product", sheet->product);
	add_text(object, "wwid", lun->wwid);
	add_number(object, "size", lun->size);
	add_number(object, "block", lun->block);
	add_text(object, "transport", transports[lun->transport]);
	add(object, "multipath", json_object_new_boolean(lun->multipath));
	for (i = 0; i < lun->paths; i++)
		json_object_array_add(paths, json_object_new_string(lun->path[i].name));
	add(object, "paths", paths);
	add_text(object, "holds", sheet->holds < 0 ? NULL : holds[sheet->holds]);
	add_text(object, "contents", sheet->contents);
	add_text(object, "header_error", sheet->header_says);
	add(object, "copies", has_copies(sheet) ? json_copies(&sheet->copies) : NULL);
	add(object, "header", sheet->has_header ? json_header(&sheet->header) : NULL);
	add_text(object, "reservation_error", sheet->pr_says);
	add_text(object, "reservation", sheet->pr.held ? type_name(&sheet->pr) : NULL);
	add(object, "keys", sheet->pr_error ? NULL : json_keys(sheet));
	return object;
}

static void print_json(const struct sheet *sheet)
{
	struct json_object *all = json_object_new_object();

	add(all, "lun", json_sheet(sheet));
	printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
						      JSON_C_TO_STRING_SPACED |
						      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

int lun_show(const struct command *self, int argc, char **argv)
{
	static struct sheet sheet;
	const char *device;
	bool json = false;
	struct arg args[] = {
		{ "DEVICE", ARG_STRING, &device, true, "the LUN: /dev/sdb, /dev/mapper/mpatha" },
		{ "--json", ARG_FLAG, &json, false, "for programs" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);

	if (code != GO_ON)
		return code;
	memset(&sheet, 0, sizeof(sheet));
	if (lun_open(&sheet.lun, device))
		return fail(self, "%s", sheet.lun.error);
	look(&sheet);
	lun_close(&sheet.lun);
	if (json)
		print_json(&sheet);
	else
		print_sheet(&sheet);
	lun_pr_free(&sheet.pr);
	return EXIT_OK;
}
