/* A page's tables for a person. Private to cmd/. */
#ifndef PH_CMD_SHOW_H
#define PH_CMD_SHOW_H

#include "connector/connector.h"

/* "HMAC", " SHA-256". */
const char *ph_show_kind(const struct ph_signature *s);
const char *ph_show_hash(const struct ph_signature *s);
void ph_show_connector(const struct ph_connector *c);
/* The samples' names, a line each, with the shape where the name alone does not say which; that
 * there is none. */
void ph_show_samples(const struct ph_connector *c, const char *indent);

#endif
