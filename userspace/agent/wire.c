// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state as bytes, little-endian: what a joiner gets. One description for both directions.
 * Members that are as they were made are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MAGIC 0x4f564f43u /* "COVO" */
#define VERSION 6

struct codec {
	uint8_t *bytes;
	size_t at;
	size_t size;
	bool reading;
	bool bad;
};

static uint8_t *room(struct codec *codec, size_t count)
{
	uint8_t *place;

	if (codec->size - codec->at < count) {
		if (codec->reading) {
			codec->bad = true;
			return NULL;
		}
		codec->size = 2 * codec->size + count;
		codec->bytes = own_alloc(codec->bytes, codec->size);
	}
	place = codec->bytes + codec->at;
	codec->at += count;
	return place;
}

static uint64_t number(struct codec *codec, uint64_t value, size_t count)
{
	uint8_t *place = codec->bad ? NULL : room(codec, count);
	uint64_t read = 0;
	size_t i;

	if (!place)
		return 0;
	for (i = 0; i < count; i++) {
		if (codec->reading)
			read |= (uint64_t)place[i] << 8 * i;
		else
			place[i] = value >> 8 * i;
	}
	return codec->reading ? read : value;
}

static void raw(struct codec *codec, void *field, size_t count)
{
	uint8_t *place = codec->bad ? NULL : room(codec, count);

	if (!place)
		return;
	if (codec->reading)
		memcpy(field, place, count);
	else
		memcpy(place, field, count);
}

/* @limit: the first value that cannot be. */
static void code(struct codec *codec, uint8_t *field, unsigned int limit)
{
	*field = number(codec, *field, 1);
	if (*field >= limit)
		codec->bad = true;
}

static void flag(struct codec *codec, bool *field)
{
	uint8_t value = *field;

	code(codec, &value, 2);
	*field = value;
}

#define FIELD(codec, field) ((field) = number(codec, field, sizeof(field)))

static void member_code(struct codec *codec, struct own_member *member)
{
	code(codec, &member->access, OWN_ACCESSES);
	code(codec, &member->route, OWN_ROUTES);
	code(codec, &member->asked, OWN_ROUTES);
	code(codec, &member->task, OWN_TASKS);
	FIELD(codec, member->tries);
	FIELD(codec, member->damping);
	flag(codec, &member->open);
	flag(codec, &member->no_path);
	flag(codec, &member->damped);
	flag(codec, &member->locked_out);
	code(codec, &member->expelled, OWN_EXPELLED_STATES);
	flag(codec, &member->apart);
	FIELD(codec, member->serial);
	FIELD(codec, member->retry);
	FIELD(codec, member->path_timer);
	FIELD(codec, member->incarnation);
	FIELD(codec, member->connected);
	FIELD(codec, member->barrier);
}

static bool untouched(const struct own_member *member)
{
	static const struct own_member nothing;

	return !memcmp(member, &nothing, sizeof(nothing));
}

static void members_code(struct codec *codec, struct own_volume *vol)
{
	own_nodes known = 0;
	unsigned int node;

	own_for_each(node, codec->reading ? 0 : ~0ULL)
		if (!untouched(own_member(vol, node)))
			known |= own_bit(node);
	FIELD(codec, known);
	own_for_each(node, known)
		member_code(codec, own_member(vol, node));
}

static void node_code(struct codec *codec, uint8_t *node)
{
	code(codec, node, OWN_NODES + 1);
}

static void volume_code(struct codec *codec, struct own_volume *vol)
{
	FIELD(codec, vol->id);
	raw(codec, vol->uuid, sizeof(vol->uuid));
	raw(codec, vol->name, sizeof(vol->name));
	code(codec, &vol->phase, OWN_PHASES);
	code(codec, &vol->wanted, OWN_WANTS);
	node_code(codec, &vol->coordinator);
	node_code(codec, &vol->target);
	node_code(codec, &vol->placed);
	node_code(codec, &vol->fencer);
	FIELD(codec, vol->tries);
	flag(codec, &vol->redirect);
	flag(codec, &vol->checked);
	flag(codec, &vol->distrust);
	flag(codec, &vol->fence_failed);
	FIELD(codec, vol->serial);
	FIELD(codec, vol->retry);
	FIELD(codec, vol->epoch);
	FIELD(codec, vol->term);
	FIELD(codec, vol->preferred);
	FIELD(codec, vol->excluded);
	FIELD(codec, vol->evict);
	FIELD(codec, vol->booted);
	FIELD(codec, vol->keep);
	FIELD(codec, vol->avoid);
	FIELD(codec, vol->tried);
	members_code(codec, vol);
}

/* What the events rely on beside each value's own range. */
static bool volume_sane(const struct own_volume *vol)
{
	if (!vol->name[0] || !memchr(vol->name, 0, sizeof(vol->name)))
		return false;
	return (vol->coordinator || !own_mounted(vol)) && !(vol->booted & ~vol->evict);
}

static void volumes_read(struct codec *codec, struct ownership *own, size_t count)
{
	struct own_volume *vol;

	own->volumes = count ? own_alloc(NULL, count * sizeof(*own->volumes)) : NULL;
	own->room = count;
	while (own->count < count && !codec->bad) {
		vol = own_alloc(NULL, sizeof(*vol));
		memset(vol, 0, sizeof(*vol));
		volume_code(codec, vol);
		if (!volume_sane(vol) || ownership_volume(own, vol->id) || vol->id >= own->next_id)
			codec->bad = true;
		own->volumes[own->count++] = vol;
	}
}

static void head_code(struct codec *codec, struct ownership *own)
{
	FIELD(codec, own->view);
	FIELD(codec, own->seq);
	flag(codec, &own->quorate);
	flag(codec, &own->two_node);
	flag(codec, &own->fence_always);
	flag(codec, &own->restarted);
	FIELD(codec, own->present);
	FIELD(codec, own->absent);
	FIELD(codec, own->unreached);
	FIELD(codec, own->serial);
	FIELD(codec, own->next_id);
}

static void graces_code(struct codec *codec, struct ownership *own)
{
	unsigned int node;

	own_for_each(node, own->absent)
		FIELD(codec, own->grace[node - 1]);
}

static void boots_code(struct codec *codec, struct ownership *own)
{
	own_nodes known = 0;
	unsigned int node;

	own_for_each(node, codec->reading ? 0 : ~0ULL)
		if (own->boots[node - 1])
			known |= own_bit(node);
	FIELD(codec, known);
	own_for_each(node, known)
		FIELD(codec, own->boots[node - 1]);
}

uint8_t *ownership_encode(const struct ownership *own, size_t *length)
{
	struct ownership head = *own;
	struct codec codec = { 0 };
	size_t i;

	number(&codec, MAGIC, 4);
	number(&codec, VERSION, 4);
	head_code(&codec, &head);
	graces_code(&codec, &head);
	boots_code(&codec, &head);
	number(&codec, own->count, 4);
	for (i = 0; i < own->count; i++)
		volume_code(&codec, own->volumes[i]);
	*length = codec.at;
	return codec.bytes;
}

int ownership_decode(struct ownership *own, const uint8_t *bytes, size_t length)
{
	/* Never written to: reading is set. */
	struct codec codec = { .bytes = (uint8_t *)bytes, .size = length, .reading = true };
	uint64_t count;

	memset(own, 0, sizeof(*own));
	if (number(&codec, 0, 4) != MAGIC)
		return -EBADMSG;
	if (number(&codec, 0, 4) != VERSION)
		return codec.bad ? -EBADMSG : -EPROTO;
	head_code(&codec, own);
	graces_code(&codec, own);
	boots_code(&codec, own);
	count = number(&codec, 0, 4);
	if (codec.bad || count > OWN_VOLUMES)
		return -EBADMSG;
	volumes_read(&codec, own, count);
	if (!codec.bad && codec.at == length)
		return 0;
	ownership_exit(own);
	return -EBADMSG;
}
