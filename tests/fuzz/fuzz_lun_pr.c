// SPDX-License-Identifier: GPL-2.0-only
/*
 * Anything as what a LUN answers to commands about reservations, and as sense data. The first byte
 * says which. Keys that are taken are where the input has them.
 */
#include <errno.h>
#include <string.h>

#include "../../userspace/lun/bytes.h"
#include "../../userspace/lun/reservation.h"
#include "fuzz.h"

static uint64_t *new_keys(size_t count)
{
	uint64_t *keys = malloc(count * sizeof(*keys) + 1);

	must(keys);
	return keys;
}

static void keys(const uint8_t *data, size_t size)
{
	uint64_t *list = new_keys(size / 8);
	uint32_t generation;
	size_t count, i;
	int error = lun_pr_in_keys(data, size, &generation, list, &count);

	must(!error || error == -EPROTO || error == -EMSGSIZE);
	if (!error) {
		must(count <= LUN_KEYS_MAX && 8 + 8 * count <= size);
		for (i = 0; i < count; i++)
			must(list[i] == get_be64(data + 8 + 8 * i));
	} else if (error == -EMSGSIZE) {
		must(8 + 8 * count > size);
	}
	free(list);
}

static void reservation(const uint8_t *data, size_t size)
{
	struct lun_pr pr;
	int error = lun_pr_in_reservation(data, size, &pr);

	must(!error || error == -EPROTO);
	if (error)
		return;
	must(pr.type <= 6);
	must(pr.held || !pr.type);
	must(!pr.held || size >= 24);
}

static void report(const uint8_t *data, size_t size, bool extended)
{
	size_t head = extended ? 64 : 24, at = extended ? 8 : 16, i;
	uint64_t *list = new_keys(size / 8);
	struct lun_pr pr;
	int error = lun_pr_nvme_report(data, size, extended, &pr, list);

	must(!error || error == -EPROTO || error == -EMSGSIZE);
	if (!error) {
		must(head + pr.count * head <= size);
		must(pr.held == !!pr.type && pr.type <= 6);
		for (i = 0; i < pr.count; i++)
			must(list[i] == get_le64(data + head + i * head + at));
	}
	free(list);
}

static void sense(const uint8_t *data, size_t size)
{
	struct lun_scsi_end end = { .status = 2 };
	int error;

	lun_scsi_sense(data, size, &end);
	must(end.key <= 15);
	error = lun_scsi_result(&end);
	must(error < 0);
}

static void capabilities(const uint8_t *bytes, size_t size)
{
	struct lun_pr_capabilities can;

	if (!lun_pr_in_capabilities(bytes, size, &can))
		must(size >= 8);
	else
		must(!can.persists && !can.types_valid && !can.type);
}

static void key(const uint8_t *data, size_t size)
{
	char text[LUN_KEY_TEXT_LEN];
	struct lun_key parts;
	uint64_t value;

	if (size < 8)
		return;
	value = get_be64(data);
	must(strlen(lun_key_format(value, 0, text)) > 18 && text[strlen(text) - 1] == ')');
	if (lun_key_parse(value, &parts))
		must(lun_key_make(parts.cluster, parts.node, parts.incarnation) == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t which = size ? data[0] % 6 : 0;
	uint8_t *copy;

	if (!size)
		return 0;
	/* Of exactly that length, so that ASan sees what is read behind it. */
	copy = malloc(size);
	must(copy);
	memcpy(copy, data + 1, --size);
	copy = realloc(copy, size ? size : 1);
	switch (which) {
	case 0:
		keys(copy, size);
		break;
	case 1:
		reservation(copy, size);
		break;
	case 2:
	case 3:
		report(copy, size, which == 3);
		break;
	case 4:
		sense(copy, size);
		capabilities(copy, size);
		break;
	default:
		key(copy, size);
	}
	free(copy);
	return 0;
}
