/* What is due, read ahead. */
#include "delivery/lane.h"
#include "os/clock.h"

void ph_lane_forget_page(struct ph_lane *lane)
{
    struct ph_page *page = &lane->page;
    page->count = page->at = 0;
    page->after = (struct ph_inbox_place){0};
    page->more = false;
    lane->scan = true;
}

/* L2 */
static void leave_out_leased(struct ph_lane *lane)
{
    struct ph_page *page = &lane->page;
    size_t kept = 0;
    for (size_t i = 0; i < page->count; i++)
        if (!ph_leases_has(&lane->leases, page->rows[i].delivery))
            page->rows[kept++] = page->rows[i];
    page->count = kept;
}

/* Rows are large now and then: fewer of them fit where as many do not. */
static enum ph_status read_rows(struct ph_lane *lane, int64_t now_ms, size_t *ret_asked)
{
    struct ph_page *page = &lane->page;
    enum ph_status st = PH_ERR_NO_MEMORY;
    for (size_t max = PH_DELIVERY_PAGE_MAX; max > 0 && st == PH_ERR_NO_MEMORY; max /= 4) {
        ph_arena_reset(&page->arena);
        *ret_asked = max;
        st = ph_inbox_due(lane->reader, lane->number, lane->now->d.ordered, now_ms, page->after,
                          max, &page->arena, &page->rows, &page->count);
    }
    return st;
}

/* When to look again. What is due already has a lease, or waits for another of its subject: their
 * end is news, but not what stands behind them. */
static void look_ahead(struct ph_lane *lane, int64_t now_ms)
{
    int64_t next_ms;
    if (ph_inbox_next_due(lane->reader, lane->number, &next_ms) != PH_OK || next_ms <= now_ms)
        next_ms = now_ms + PH_DELIVERY_IDLE_MS;
    if (next_ms < lane->next_due_ms)
        lane->next_due_ms = next_ms;
}

/* False: it cannot be read now, or there is nothing more. */
static bool read_page(struct ph_lane *lane)
{
    struct ph_page *page = &lane->page;
    int64_t now_ms = lane->now_ms();
    size_t asked;
    page->count = page->at = 0;
    if (!page->more) {
        page->after = (struct ph_inbox_place){0};
        lane->scan = false;
    }
    enum ph_status st = read_rows(lane, now_ms, &asked);
    if (st != PH_OK) {
        ph_lane_forget_page(lane);
        lane->hold_ms = ph_os_steady_ms() + PH_DELIVERY_IDLE_MS;
        ph_lane_say(lane, true, "what is due cannot be read: %s", ph_status_text(st));
        return false;
    }
    page->read_ms = ph_os_steady_ms();
    page->more = page->count == asked;
    if (page->count > 0)
        page->after = (struct ph_inbox_place){.due_ms = page->rows[page->count - 1].due_ms,
                                              .id = page->rows[page->count - 1].delivery};
    leave_out_leased(lane);
    if (!page->more)
        look_ahead(lane, now_ms);
    return page->count > 0 || page->more;
}

struct ph_inbox_due *ph_lane_peek(struct ph_lane *lane)
{
    struct ph_page *page = &lane->page;
    if (page->at < page->count && ph_os_steady_ms() - page->read_ms >= PH_DELIVERY_IDLE_MS)
        ph_lane_forget_page(lane); /* L3 */
    if (page->at == page->count && lane->now_ms() >= lane->next_due_ms) {
        lane->scan = true;
        lane->next_due_ms = INT64_MAX; /* the scan will say */
    }
    while (page->at == page->count && (page->more || lane->scan))
        if (!read_page(lane))
            break;
    return page->at < page->count ? &page->rows[page->at] : NULL;
}
