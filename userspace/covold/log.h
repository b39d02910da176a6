/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the agent says: to the journal with fields and message ids, or to stderr when nothing
 * connects that to the journal. Any thread may call this.
 *
 * Fields: MESSAGE_ID, COVOL_VOLUME (its name), COVOL_NODE (number of this node, once it is known).
 */
#ifndef COVOLD_LOG_H
#define COVOLD_LOG_H

#include <syslog.h>

/* Kinds of messages that programs may look for: journalctl MESSAGE_ID=... */
#define LOG_ID_VIEW	"8d2e92c6450b4004ac01aabc7633db2f" /* who is here has changed */
#define LOG_ID_STATE	"6831799a5cf0428ab7afa825654f6a60" /* a volume's state on this node */
#define LOG_ID_TASK	"92deefdc4d5e42cc8d457ffb127e447a" /* a task has ended */
#define LOG_ID_FAILED	"468bed46b6714be3805b4de60e310e88" /* a task has failed */
#define LOG_ID_REQUEST	"04bc1a89305446399e3c09bdf5ca1534" /* an administrator's wish */
#define LOG_ID_GROUP	"db9b31f1fa2149a89e9024437b5a693a" /* trouble with the group */

/* Once, at the start. @level: the least important that is said, LOG_ERR to LOG_DEBUG. */
void log_init(int level);
void log_node(unsigned int node);

/* @id: NULL: none of the above; @volume: its name, or NULL. */
__attribute__((format(printf, 4, 5)))
void log_about(int level, const char *id, const char *volume, const char *format, ...);

#define log_error(...)	log_about(LOG_ERR, NULL, NULL, __VA_ARGS__)
#define log_warning(...) log_about(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_info(...)	log_about(LOG_INFO, NULL, NULL, __VA_ARGS__)

#endif
