// SPDX-License-Identifier: GPL-2.0-only
/*
 * covol kernel table: the line that makes a device-mapper device of an object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

#define SECTOR	512

struct features {
	uint64_t hold_timeout;
	const char *meta_policy;
	bool has_hold_timeout;
	bool data_digest;
};

static void print_features(const struct features *features)
{
	int words = 2 * features->has_hold_timeout + features->data_digest +
		    2 * !!features->meta_policy;

	if (words)
		printf(" %d", words);
	if (features->has_hold_timeout)
		printf(" hold_timeout %" PRIu64, features->hold_timeout);
	if (features->data_digest)
		printf(" data_digest");
	if (features->meta_policy)
		printf(" meta_policy %s", features->meta_policy);
}

static void print_table(const struct covol_volume *volume, uint64_t object, uint64_t size,
			const struct features *features)
{
	char uuid[COVOL_UUID_TEXT_LEN], text[SIZE_TEXT_LEN];

	printf("0 %" PRIu64 " covol %s %s", size / SECTOR, covol_uuid_format(&volume->uuid, uuid),
	       format_object(object, text));
	if (volume->lun_major || volume->lun_minor)
		printf(" %" PRIu32 ":%" PRIu32, volume->lun_major, volume->lun_minor);
	else
		printf(" -");
	printf(" %" PRIu64, volume->lun_offset / SECTOR);
	print_features(features);
	printf("\n");
}

int kernel_table(const struct command *self, int argc, char **argv)
{
	struct features features = { 0 };
	struct covol_volume volume;
	struct covol_image image;
	struct covol_uuid uuid;
	uint64_t object;
	struct arg args[] = {
		{ "UUID", ARG_UUID, &uuid, true, "the volume" },
		{ "OBJECT", ARG_OBJECT, &object, true, "volume, image:ID or an id" },
		{ "--hold-timeout", ARG_NUMBER, &features.hold_timeout, false,
		  "milliseconds until held I/O fails (default: never)" },
		{ "--data-digest", ARG_FLAG, &features.data_digest, false,
		  "checksums over data on the network" },
		{ "--meta-policy", ARG_STRING, &features.meta_policy, false,
		  "forward or refuse a member's metadata writes to the volume itself" },
		END_OF_ARGS
	};
	int code = parse_args(self, args, argc, argv);
	struct covol *c;

	if (code != GO_ON)
		return code;
	if (features.meta_policy && strcmp(features.meta_policy, "forward") &&
	    strcmp(features.meta_policy, "refuse"))
		return bad_usage(self, "--meta-policy: \"%s\" is neither forward nor refuse",
				 features.meta_policy);
	features.has_hold_timeout = given(args, "--hold-timeout");

	c = open_kernel(self);
	if (!c)
		return EXIT_FAILED;
	if (covol_volume_get(c, &uuid, &volume) ||
	    (object && covol_image_get(c, &uuid, object, &image)))
		return failed(self, c);
	print_table(&volume, object, object ? image.size : volume.size, &features);
	covol_close(c);
	return EXIT_OK;
}
