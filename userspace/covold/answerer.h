/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who answers for the layouts of a volume's images on its coordinator, in a thread of its own: what
 * covol-layout does, for whatever images there are (../layout/answer.h).
 *
 * The functions may wait for a FIEMAP or an fsync that is under way; for workers.
 */
#ifndef COVOLD_ANSWERER_H
#define COVOLD_ANSWERER_H

#include <covol/libcovol.h>

struct answerer;

/* 0 or a negative errno. */
int answerer_start(struct answerer **answerer, const struct covol_uuid *uuid);
/* Ends the thread, and closes the files. NULL: nothing. */
void answerer_stop(struct answerer *answerer);

/**
 * answerer_add() - Answer for an image from now on.
 * @answerer: by whom
 * @id: the image; one that it has already is left as it is
 * @name: for messages
 * @fd: its file; a duplicate is kept
 *
 * Return: 0 or a negative errno.
 */
int answerer_add(struct answerer *answerer, uint64_t id, const char *name, int fd);
/* No longer; one that it has not is fine. */
void answerer_remove(struct answerer *answerer, uint64_t id);

#endif
