// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <json-c/json.h>

#include "../lun/header.h"
#include "invitation.h"
#include "nodes.h"

#define VERSION	1

/* ---- out ---- */

static bool add_text(struct json_object *object, const char *name, const char *text)
{
	struct json_object *value = json_object_new_string(text);

	return value && !json_object_object_add(object, name, value);
}

static bool add_bytes(struct json_object *object, const char *name, const char *bytes,
		      size_t length)
{
	gnutls_datum_t from = { .data = (unsigned char *)bytes, .size = length }, text;
	struct json_object *value;

	if (gnutls_base64_encode2(&from, &text))
		return false;
	value = json_object_new_string_len((char *)text.data, text.size);
	gnutls_free(text.data);
	return value && !json_object_object_add(object, name, value);
}

static bool fill(struct json_object *object, const struct invitation *invitation)
{
	struct json_object *version = json_object_new_int(VERSION);

	return version && !json_object_object_add(object, "covol-invitation", version) &&
	       add_text(object, "cluster", invitation->cluster) &&
	       add_text(object, "node", invitation->node) &&
	       add_text(object, "authority", invitation->authority) &&
	       add_text(object, "certificate", invitation->own.certificate) &&
	       add_text(object, "key", invitation->own.key) &&
	       add_text(object, "corosync.conf", invitation->corosync) &&
	       (!invitation->authkey || add_bytes(object, "corosync-authkey", invitation->authkey,
						  invitation->authkey_length));
}

char *invitation_encode(const struct invitation *invitation)
{
	struct json_object *object = json_object_new_object();
	const char *json;
	char *text = NULL;

	if (object && fill(object, invitation)) {
		json = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
		if (!json || asprintf(&text, "%s\n", json) < 0)
			text = NULL;
	}
	json_object_put(object);
	return text;
}

/* ---- in ---- */

static int bad(char error[CLUSTER_ERROR], const char *what)
{
	snprintf(error, CLUSTER_ERROR, "is no invitation: %s", what);
	return -EINVAL;
}

static bool take_text(struct json_object *object, const char *name, char **text)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return false;
	*text = strdup(json_object_get_string(value));
	return *text;
}

static bool take_bytes(struct json_object *object, const char *name, char **bytes, size_t *length)
{
	gnutls_datum_t from = { 0 }, out;
	char *text = NULL;

	if (!json_object_object_get_ex(object, name, NULL))
		return true;
	if (!take_text(object, name, &text))
		return false;
	from.data = (unsigned char *)text;
	from.size = strlen(text);
	if (!gnutls_base64_decode2(&from, &out)) {
		*bytes = malloc(out.size + 1);
		if (*bytes) {
			memcpy(*bytes, out.data, out.size);
			*length = out.size;
		}
		gnutls_free(out.data);
	}
	free(text);
	return *bytes;
}

static int take(struct invitation *invitation, struct json_object *object,
		char error[CLUSTER_ERROR])
{
	struct json_object *version;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "covol-invitation", &version))
		return bad(error, "\"covol-invitation\" is missing");
	if (!json_object_is_type(version, json_type_int) ||
	    json_object_get_int(version) != VERSION)
		return bad(error, "it is of another version of covol");
	if (!take_text(object, "cluster", &invitation->cluster) ||
	    !take_text(object, "node", &invitation->node) ||
	    !take_text(object, "authority", &invitation->authority) ||
	    !take_text(object, "certificate", &invitation->own.certificate) ||
	    !take_text(object, "key", &invitation->own.key) ||
	    !take_text(object, "corosync.conf", &invitation->corosync) ||
	    !take_bytes(object, "corosync-authkey", &invitation->authkey,
			&invitation->authkey_length))
		return bad(error, "something is missing, or no text");
	return 0;
}

static int check(const struct invitation *invitation, char error[CLUSTER_ERROR])
{
	if (!nodes_name_valid(invitation->node) || !lun_name_valid(invitation->cluster))
		return bad(error, "the name of the node or of the cluster cannot be one");
	if (!nodes_corosync_has(invitation->corosync, invitation->node)) {
		snprintf(error, CLUSTER_ERROR, "%s: corosync.conf has no such node",
			 invitation->node);
		return -EACCES;
	}
	return certificate_check(&invitation->own, invitation->authority, invitation->node, error);
}

int invitation_decode(struct invitation *invitation, const char *text, size_t length,
		      char error[CLUSTER_ERROR])
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	int result;

	memset(invitation, 0, sizeof(*invitation));
	if (!tokener)
		return bad(error, strerror(ENOMEM));
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, length);
	if (!object)
		result = bad(error, json_tokener_error_desc(json_tokener_get_error(tokener)));
	else
		result = take(invitation, object, error);
	json_object_put(object);
	json_tokener_free(tokener);
	return result ? result : check(invitation, error);
}

void invitation_free(struct invitation *invitation)
{
	certificate_free(&invitation->own);
	free(invitation->cluster);
	free(invitation->node);
	free(invitation->authority);
	free(invitation->corosync);
	free(invitation->authkey);
	memset(invitation, 0, sizeof(*invitation));
}
