/* Whether two connectors' tables are the same, field by field, through every pointer. Samples
 * are left out: they are connectorc's, not the page's.
 *
 * A struct that grows must be compared here too: COVERS fails to compile until somebody has
 * looked. */
#ifndef PH_TESTS_TABLES_H
#define PH_TESTS_TABLES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "connector/connector.h"

#define COVERS(type, bytes)                                                                        \
    _Static_assert(sizeof(void *) != 8 || sizeof(struct type) == (bytes),                          \
                   "struct " #type " has changed: compare all of its fields")

/* The first field that differed, then those that hold it; emptied before a comparison. */
static char tables_differ[1024];

static inline bool differ(const char *what)
{
    size_t len = strlen(tables_differ);
    snprintf(tables_differ + len, sizeof(tables_differ) - len, "%s%s", len > 0 ? " in " : "", what);
    return false;
}

#define SAME(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return differ(#condition);                                                             \
    } while (0)
#define NUMBER(field)     SAME(a->field == b->field)
#define TEXT(field)       SAME(same_text(&a->field, &b->field))
#define PART(field, same) SAME(same(&a->field, &b->field))
#define ONE(field, same)                                                                           \
    SAME((a->field == NULL) == (b->field == NULL) && (a->field == NULL || same(a->field, b->field)))
#define LIST(field, counted, same)                                                                 \
    do {                                                                                           \
        NUMBER(counted);                                                                           \
        for (size_t i_ = 0; i_ < a->counted; i_++)                                                 \
            SAME(same(&a->field[i_], &b->field[i_]));                                              \
    } while (0)
#define TABLE(name)                                                                                \
    static inline bool same_##name(const struct ph_##name *a, const struct ph_##name *b)

/* Absent and empty are two things. */
static inline bool same_text(const struct ph_slice *a, const struct ph_slice *b)
{
    return (a->ptr == NULL) == (b->ptr == NULL) && a->len == b->len &&
           (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0);
}

static inline bool same_number(const uint16_t *a, const uint16_t *b)
{
    return *a == *b;
}

static inline bool same_decode(const enum ph_decode *a, const enum ph_decode *b)
{
    return *a == *b;
}

/* ---- values ---------------------------------------------------------------------------------- */

COVERS(ph_step, 40);
TABLE(step)
{
    NUMBER(kind);
    NUMBER(index);
    TEXT(key);
    TEXT(value);
    return true;
}

COVERS(ph_pointer, 32);
TABLE(pointer)
{
    TEXT(text);
    LIST(steps, count, same_step);
    NUMBER(many);
    NUMBER(shared);
    NUMBER(node);
    return true;
}

COVERS(ph_node, 72);
TABLE(node)
{
    PART(step, same_step);
    NUMBER(head);
    NUMBER(tail);
    NUMBER(key_bytes);
    NUMBER(parent);
    LIST(slots, slot_count, same_number);
    return true;
}

COVERS(ph_filter, 32);
TABLE(filter)
{
    NUMBER(op);
    TEXT(arg);
    ONE(pointer, same_pointer);
    return true;
}

COVERS(ph_piece, 40);
TABLE(piece)
{
    NUMBER(source);
    NUMBER(index);
    TEXT(text);
    ONE(pointer, same_pointer);
    LIST(filters, filter_count, same_filter);
    return true;
}

COVERS(ph_template, 16);
TABLE(template)
{
    LIST(pieces, count, same_piece);
    NUMBER(open);
    return true;
}

COVERS(ph_expr, 16);
TABLE(expr)
{
    LIST(alternatives, count, same_template);
    NUMBER(node);
    return true;
}

COVERS(ph_let, 144);
TABLE(let)
{
    TEXT(name);
    NUMBER(kind);
    PART(value, same_template);
    PART(of, same_piece);
    NUMBER(order);
    NUMBER(skip_empty);
    LIST(drop, drop_count, same_text);
    TEXT(between_pair);
    NUMBER(keys);
    NUMBER(values);
    TEXT(between);
    return true;
}

COVERS(ph_test, 56);
TABLE(test)
{
    PART(of, same_expr);
    NUMBER(op);
    LIST(values, value_count, same_text);
    PART(against, same_expr);
    return true;
}

COVERS(ph_map_entry, 24);
TABLE(map_entry)
{
    TEXT(from);
    NUMBER(to);
    return true;
}

COVERS(ph_map, 40);
TABLE(map)
{
    TEXT(name);
    NUMBER(vocabulary);
    LIST(entries, count, same_map_entry);
    NUMBER(has_otherwise);
    NUMBER(otherwise);
    return true;
}

COVERS(ph_choice, 32);
TABLE(choice)
{
    NUMBER(word);
    ONE(map, same_map);
    PART(of, same_expr);
    return true;
}

/* ---- content and rules ----------------------------------------------------------------------- */

COVERS(ph_field_rule, 80);
TABLE(field_rule)
{
    NUMBER(field);
    NUMBER(unit);
    NUMBER(required);
    PART(value, same_expr);
    PART(currency, same_expr);
    PART(choice, same_choice);
    return true;
}

COVERS(ph_need, 24);
TABLE(need)
{
    PART(of, same_expr);
    NUMBER(type);
    NUMBER(optional);
    return true;
}

COVERS(ph_block, 88);
TABLE(block)
{
    TEXT(name);
    NUMBER(kind);
    LIST(fields, field_count, same_field_rule);
    NUMBER(id_count);
    NUMBER(reference_kind);
    LIST(reference, reference_count, same_field_rule);
    NUMBER(reference_own);
    PART(effect, same_expr);
    LIST(needs, need_count, same_need);
    return true;
}

COVERS(ph_rule, 120);
TABLE(rule)
{
    LIST(on, on_count, same_text);
    NUMBER(on_prefix);
    LIST(when, test_count, same_test);
    PART(is, same_choice);
    ONE(content, same_block);
    PART(status, same_choice);
    TEXT(incomplete);
    NUMBER(fetch);
    NUMBER(needs_capture_method);
    NUMBER(line);
    return true;
}

COVERS(ph_rule_group, 32);
TABLE(rule_group)
{
    TEXT(type);
    LIST(rules, count, same_number);
    return true;
}

/* ---- signatures and replies ------------------------------------------------------------------ */

COVERS(ph_layout_part, 24);
TABLE(layout_part)
{
    NUMBER(kind);
    NUMBER(capture);
    TEXT(text);
    return true;
}

COVERS(ph_layout, 24);
TABLE(layout)
{
    LIST(parts, count, same_layout_part);
    NUMBER(has_kind);
    NUMBER(kind);
    NUMBER(hash);
    return true;
}

COVERS(ph_header_template, 32);
TABLE(header_template)
{
    TEXT(name);
    PART(value, same_template);
    return true;
}

COVERS(ph_fetch, 104);
TABLE(fetch)
{
    NUMBER(kind);
    TEXT(method);
    PART(url, same_template);
    LIST(hosts, host_count, same_text);
    LIST(headers, header_count, same_header_template);
    PART(body, same_template);
    LIST(accept, accept_count, same_test);
    return true;
}

COVERS(ph_signature, 272);
TABLE(signature)
{
    LIST(when, when_count, same_test);
    NUMBER(kind);
    NUMBER(hash);
    PART(from, same_expr);
    TEXT(list);
    LIST(layouts, layout_count, same_layout);
    LIST(captures, capture_count, same_text);
    NUMBER(first_only);
    NUMBER(header_may_repeat);
    NUMBER(encoding);
    NUMBER(secret_form);
    PART(key, same_expr);
    LIST(messages, message_count, same_template);
    LIST(require, require_count, same_test);
    PART(time, same_expr);
    NUMBER(time_unit);
    NUMBER(past_ms);
    NUMBER(future_ms);
    LIST(covers, cover_count, same_text);
    LIST(algorithms, algorithm_count, same_text);
    ONE(fetch, same_fetch);
    LIST(certificate_names, certificate_name_count, same_text);
    LIST(send, send_count, same_header_template);
    LIST(protect, protect_count, same_header_template);
    NUMBER(per_item);
    return true;
}

COVERS(ph_reply, 88);
TABLE(reply)
{
    NUMBER(status);
    NUMBER(stops_queue);
    LIST(headers, header_count, same_header_template);
    PART(body, same_template);
    NUMBER(sign_kind);
    NUMBER(sign_hash);
    NUMBER(sign_encoding);
    PART(sign_key, same_expr);
    PART(sign_message, same_template);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

COVERS(ph_key_part, 32);
COVERS(ph_handshake, 104);
TABLE(handshake)
{
    LIST(when, when_count, same_test);
    PART(reply, same_reply);
    return true;
}

TABLE(key_part)
{
    PART(of, same_expr);
    LIST(when, when_count, same_test);
    return true;
}

COVERS(ph_variant, 528);
TABLE(variant)
{
    TEXT(name);
    LIST(when, when_count, same_test);
    NUMBER(format);
    PART(inner, same_piece);
    LIST(decode, decode_count, same_decode);
    ONE(items, same_pointer);
    LIST(lets, let_count, same_let);
    LIST(signatures, signature_count, same_signature);
    PART(id, same_expr);
    PART(type, same_expr);
    PART(time, same_expr);
    NUMBER(time_unit);
    PART(account, same_expr);
    NUMBER(account_apart);
    PART(mode, same_choice);
    LIST(needs, need_count, same_need);
    LIST(rules, rule_count, same_rule);
    LIST(groups, group_count, same_rule_group);
    LIST(group_slots, group_slot_count, same_number);
    LIST(open_rules, open_rule_count, same_number);
    LIST(dedupe, dedupe_count, same_key_part);
    PART(ack, same_reply);
    PART(refuse, same_reply);
    NUMBER(ack_within_ms);
    ONE(fetch, same_fetch);
    return true;
}

COVERS(ph_source_note, 32);
TABLE(source_note)
{
    TEXT(tag);
    TEXT(text);
    return true;
}

COVERS(ph_config_field, 32);
TABLE(config_field)
{
    TEXT(name);
    TEXT(help);
    return true;
}

COVERS(ph_currency_exception, 9);
TABLE(currency_exception)
{
    SAME(memcmp(a->code, b->code, sizeof(a->code)) == 0);
    SAME(memcmp(a->is, b->is, sizeof(a->is)) == 0);
    NUMBER(decimals);
    return true;
}

COVERS(ph_connector, 200);
TABLE(connector)
{
    TEXT(name);
    TEXT(title);
    LIST(sources, source_count, same_source_note);
    LIST(config, config_count, same_config_field);
    LIST(variants, variant_count, same_variant);
    ONE(handshake, same_handshake);
    LIST(nodes, node_count, same_node);
    LIST(currencies, currency_count, same_currency_exception);
    TEXT(retry);
    TEXT(notes);
    TEXT(hash);
    TEXT(native);
    return true;
}

#endif
