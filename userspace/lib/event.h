/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COVOL_LIB_EVENT_H
#define COVOL_LIB_EVENT_H

#include "covol.h"

/* -EBADMSG when the message is no event of a volume. */
int covol_event_decode(const struct nlmsghdr *message, struct covol_event *event);

#endif
