/* The shapes of a signature text ("t={timestamp}", "v1={signature}"), read and written. */
#include "core/verify.h"

/* What one layout catches of one entry. */
struct catch
{
    struct ph_slice captures[PH_CAPTURES_MAX];
    unsigned which; /* of them are set: a bit each */
    bool has_signature;
};

static bool catches(const struct ph_layout_part *part)
{
    return part->kind == PH_LAYOUT_CAPTURE || part->kind == PH_LAYOUT_SIGNATURE;
}

static struct ph_slice literal_of(const struct ph_run *run, const struct ph_layout_part *part)
{
    return part->kind == PH_LAYOUT_SECRET2 ? run->secret2 : part->text;
}

/* A name takes what stands before the next literal; the last one takes the rest. `count`: of
 * captures. */
static bool fit(const struct ph_run *run, const struct ph_layout *layout, size_t count,
                struct ph_slice entry, struct catch *ret)
{
    ret->has_signature = false;
    ret->which = 0;
    for (uint16_t i = 0; i < layout->count; i++) {
        const struct ph_layout_part *part = &layout->parts[i];
        if (!catches(part)) {
            struct ph_slice literal = literal_of(run, part);
            if (part->kind == PH_LAYOUT_SECRET2 && literal.len == 0)
                return false;
            if (!ph_slice_starts(entry, literal))
                return false;
            entry = ph_slice_from(entry, literal.len);
            continue;
        }
        size_t end = entry.len;
        if (i + 1 < layout->count) {
            struct ph_slice next = literal_of(run, &layout->parts[i + 1]);
            end = next.len > 0 ? ph_slice_find(entry, next, 0) : SIZE_MAX;
            if (end == SIZE_MAX)
                return false;
        }
        bool is_signature = part->kind == PH_LAYOUT_SIGNATURE;
        int16_t slot = is_signature ? 0 : part->capture;
        if ((is_signature && end == 0) || slot < 0 || (size_t)slot >= count)
            return false;
        ret->captures[slot] = ph_slice_of(entry.ptr, end);
        ret->which |= 1U << slot;
        ret->has_signature = ret->has_signature || is_signature;
        entry = ph_slice_from(entry, end);
    }
    return entry.len == 0;
}

/* What the entries of one text add up to. */
struct reading {
    struct ph_run *run;
    const struct ph_signature *sig;
    struct ph_found_signature *found;
    size_t count;
    unsigned which; /* of `shared` are set: a bit each */
    struct ph_slice *shared;
};

static void add(struct reading *r, const struct ph_layout *layout, const struct catch *caught)
{
    if (r->count == PH_SIGNATURES_MAX)
        return;
    struct ph_found_signature *f = &r->found[r->count++];
    bool own = layout != NULL && layout->has_kind;
    f->text = caught->captures[0];
    f->kind = own ? layout->kind : r->sig->kind;
    f->hash = own ? layout->hash : r->sig->hash;
    for (size_t i = 0; i < r->sig->capture_count; i++)
        f->captures[i] = (caught->which >> i & 1) != 0 ? caught->captures[i] : (struct ph_slice){0};
}

/* An entry without a signature says something for all of them: t=… of a comma list. */
static void share(struct reading *r, const struct catch *caught)
{
    for (size_t i = 1; i < r->sig->capture_count; i++) {
        if ((caught->which >> i & 1) == 0)
            continue;
        if ((r->which >> i & 1) == 0)
            r->shared[i] = caught->captures[i];
        else if (!ph_slice_eq(r->shared[i], caught->captures[i]))
            r->run->ambiguous =
                PH_S("ambiguous: the signature text says one thing twice, differing");
    }
    r->which |= caught->which;
}

static void read_entry(struct reading *r, struct ph_slice entry, size_t number)
{
    const struct ph_signature *sig = r->sig;
    struct catch caught;
    if (sig->layout_count == 0) {
        caught.captures[0] = entry;
        caught.which = 1;
        if (entry.len > 0)
            add(r, NULL, &caught);
        return;
    }
    for (uint16_t i = 0; i < sig->layout_count; i++) {
        if (!fit(r->run, &sig->layouts[i], sig->capture_count, entry, &caught))
            continue;
        if (r->run->in->explain)
            ph_explain_shape(r->run, sig, number, &sig->layouts[i]);
        if (caught.has_signature)
            add(r, &sig->layouts[i], &caught);
        else
            share(r, &caught);
        return;
    }
    if (r->run->in->explain)
        ph_explain_shape(r->run, sig, number, NULL);
}

void ph_read_layout(struct ph_run *run, const struct ph_signature *sig, struct ph_slice text,
                    struct ph_found_signature found[PH_SIGNATURES_MAX], size_t *ret_count)
{
    struct ph_slice shared[PH_CAPTURES_MAX];
    struct reading r = {.run = run, .sig = sig, .found = found, .shared = shared};
    size_t at = 0;
    for (size_t entries = 0; entries < PH_SIGNATURE_ENTRIES_MAX && at <= text.len; entries++) {
        size_t end = sig->list.len > 0 ? ph_slice_find(text, sig->list, at) : SIZE_MAX;
        if (end == SIZE_MAX)
            end = text.len;
        read_entry(&r, ph_slice_trim(ph_slice_of(text.ptr + at, end - at)), entries);
        at = end + (sig->list.len > 0 ? sig->list.len : 1);
    }
    for (size_t i = 0; i < r.count; i++)
        for (size_t k = 1; k < sig->capture_count; k++)
            if (!ph_slice_present(found[i].captures[k]) && (r.which >> k & 1) != 0)
                found[i].captures[k] = shared[k];
    *ret_count = r.count;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool has_signature(const struct ph_layout *layout)
{
    for (uint16_t i = 0; i < layout->count; i++)
        if (layout->parts[i].kind == PH_LAYOUT_SIGNATURE)
            return true;
    return false;
}

static const struct ph_layout *signing_layout(const struct ph_signature *sig)
{
    for (uint16_t i = 0; i < sig->layout_count; i++)
        if (has_signature(&sig->layouts[i]))
            return &sig->layouts[i];
    return NULL;
}

void ph_layout_algorithm(const struct ph_signature *sig, enum ph_signature_kind *ret_kind,
                         enum ph_hash *ret_hash)
{
    const struct ph_layout *layout = signing_layout(sig);
    bool own = layout != NULL && layout->has_kind;
    *ret_kind = own ? layout->kind : sig->kind;
    *ret_hash = own ? layout->hash : sig->hash;
}

static struct ph_slice part_text(const struct ph_run *run, const struct ph_layout_part *part)
{
    if (!catches(part))
        return literal_of(run, part);
    int16_t slot = part->kind == PH_LAYOUT_SIGNATURE ? 0 : part->capture;
    return slot >= 0 && slot < PH_CAPTURES_MAX ? run->captures[slot] : (struct ph_slice){0};
}

/* Several shapes without a list are alternatives: the first that has a signature. In a list
 * every shape without one is an entry of its own. */
struct ph_slice ph_write_layout(struct ph_run *run, const struct ph_signature *sig)
{
    const struct ph_layout *chosen = signing_layout(sig);
    if (chosen == NULL)
        return run->captures[0];
    struct ph_slice out = PH_S("");
    bool first = true;
    for (uint16_t i = 0; i < sig->layout_count && ph_slice_present(out); i++) {
        const struct ph_layout *layout = &sig->layouts[i];
        if (layout != chosen && (sig->list.len == 0 || has_signature(layout)))
            continue;
        for (uint16_t k = 0; k < layout->count && ph_slice_present(out); k++) {
            struct ph_slice parts[] = {out, k == 0 && !first ? sig->list : PH_S(""),
                                       part_text(run, &layout->parts[k])};
            out = ph_join(run, parts, PH_COUNTOF(parts));
        }
        first = false;
    }
    return out;
}
