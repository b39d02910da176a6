// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <time.h>

#include "../cluster/certificate.h"
#include "../cluster/files.h"
#include "group.h"
#include "identity.h"
#include "log.h"
#include "memory.h"

#define DAY		86400
#define DAY_USEC	(DAY * 1000000ULL)
#define WARN_DAYS	30

struct identity {
	struct pool *pool;
	const struct config *config;
	sd_event_source *timer;
	char node[GROUP_NAME_LEN];
	char trouble[IDENTITY_TEXT];
	bool looking;			/* the rest is the worker's */
	char asked[GROUP_NAME_LEN];
	char found[IDENTITY_TEXT];
};

static void look_at_dates(const struct certificate_pair *own, char text[IDENTITY_TEXT])
{
	struct certificate_facts facts;
	char error[CLUSTER_ERROR];
	long days;

	if (certificate_read(&facts, own->certificate, error))
		return;
	days = (facts.until - time(NULL)) / DAY;
	if (days < WARN_DAYS)
		snprintf(text, IDENTITY_TEXT, "this node's certificate expires in %ld days", days);
}

void identity_look(const struct config *config, const char *node, char text[IDENTITY_TEXT])
{
	struct certificate_pair own = { 0 };
	char error[CLUSTER_ERROR], *authority = NULL;
	int result;

	text[0] = 0;
	if (!config->certificate) {
		snprintf(text, IDENTITY_TEXT, "this node has no certificate, and so no sessions");
		return;
	}
	result = files_read("", config->certificate, &own.certificate, NULL, error);
	if (!result)
		result = files_read("", config->key, &own.key, NULL, error);
	if (!result)
		result = files_read("", config->authority, &authority, NULL, error);
	if (!result)
		result = certificate_check(&own, authority, node, error);
	if (result)
		snprintf(text, IDENTITY_TEXT, "this node gets no sessions, as node %.64s: %.400s",
			 node, error);
	else
		look_at_dates(&own, text);
	certificate_free(&own);
	free(authority);
}

static void look(void *data)
{
	struct identity *identity = data;

	identity_look(identity->config, identity->asked, identity->found);
}

static void begin(struct identity *identity);

static void looked(void *data)
{
	struct identity *identity = data;

	identity->looking = false;
	memcpy(identity->trouble, identity->found, sizeof(identity->trouble));
	if (*identity->trouble)
		log_warning("%s; see covol-cluster(8)", identity->trouble);
	/* It has got another name meanwhile. */
	if (strcmp(identity->asked, identity->node))
		begin(identity);
}

static void begin(struct identity *identity)
{
	if (identity->looking || !*identity->node)
		return;
	identity->looking = true;
	memcpy(identity->asked, identity->node, sizeof(identity->asked));
	pool_submit(identity->pool, look, looked, identity);
}

static int on_day(sd_event_source *source, uint64_t usec, void *data)
{
	(void)usec;
	begin(data);
	sd_event_source_set_time_relative(source, DAY_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int identity_open(struct identity **result, sd_event *event, struct pool *pool,
		  const struct config *config)
{
	struct identity *identity = memory_new(sizeof(*identity));
	int error;

	identity->pool = pool;
	identity->config = config;
	error = sd_event_add_time_relative(event, &identity->timer, CLOCK_MONOTONIC, DAY_USEC, 0,
					   on_day, identity);
	if (error < 0) {
		free(identity);
		return error;
	}
	*result = identity;
	return 0;
}

void identity_name(struct identity *identity, const char *node)
{
	if (!strcmp(identity->node, node))
		return;
	snprintf(identity->node, sizeof(identity->node), "%s", node);
	begin(identity);
}

const char *identity_trouble(const struct identity *identity)
{
	return identity->trouble;
}

void identity_close(struct identity *identity)
{
	sd_event_source_disable_unref(identity->timer);
	free(identity);
}
