import { useVirtualizer } from "@tanstack/react-virtual";
import type { Ref } from "react";
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef } from "react";
import type { Room, RoomView } from "../room/room.ts";
import { Beginning } from "./beginning.tsx";
import { Cursors } from "./cursors.tsx";
import { EmptyRoom } from "./empty-room.tsx";
import { MessageRow } from "./message-row.tsx";
import { NewMessages } from "./new-messages.tsx";
import { estimatedHeight } from "./row-height.ts";
import { useSteadyJoint } from "./use-steady-joint.ts";
import { useToday } from "./use-today.ts";

/** What the page may ask of the list. */
export interface MessageListHandle {
  scrollToNewest(): void;
}

interface MessageListProps {
  readonly room: Room;
  readonly view: RoomView;
  readonly onSendAgain: (id: string) => void;
  readonly onEdit: (id: string) => void;
  readonly onRemove: (id: string) => void;
  readonly ref: Ref<MessageListHandle>;
}

/** So near to the end, in pixels, the reader counts as reading the newest message. */
const NEAR_END = 64;
/** Older messages are fetched when fewer pixels than these are left above, so that one seldom has to wait. */
const NEAR_START = 1_600;
/** Room above the first message for the words about what came before. */
const START_SPACE = 76;

/** The messages, of which only those near the view are in the document. */
export function MessageList({ room, view, onSendAgain, onEdit, onRemove, ref }: MessageListProps) {
  const { rows, past, state, following, unread } = view;
  const scroller = useRef<HTMLDivElement>(null);
  const today = useToday();
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => estimatedHeight(rows[index], scroller.current?.clientWidth ?? 640),
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
    overscan: 8,
    paddingStart: START_SPACE,
    paddingEnd: 16,
  });

  // Also while the reader scrolls up: what changes above the view shall not move it.
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = ({ key, start, end }) => {
    const offset = virtualizer.scrollOffset ?? 0;
    return virtualizer.itemSizeCache.has(key) ? end <= offset : start < offset;
  };
  useSteadyJoint(virtualizer, scroller, rows);

  const scrollToNewest = useCallback(() => virtualizer.scrollToEnd(), [virtualizer]);
  useImperativeHandle(ref, () => ({ scrollToNewest }), [scrollToNewest]);
  useLayoutEffect(scrollToNewest, [scrollToNewest]);
  // Own messages change their place when the log shows them between those of others: the virtualizer may then stay with one of them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows have changed
  useLayoutEffect(() => {
    if (following) scrollToNewest();
  }, [rows, following, scrollToNewest]);

  const look = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    // Read from the element itself: the virtualizer may hear of a scroll after this.
    room.follow(element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR_END);
    if (past.kind === "more" && element.scrollTop < NEAR_START) void room.loadOlder();
  }, [room, past.kind]);
  // A page that came may leave too little above for a scroll to ask for the next one.
  useEffect(look, [look]);

  const empty = rows.length === 0;
  return (
    <div className="messages">
      <section
        ref={scroller}
        className="scroller"
        aria-label={`Messages in ${room.id}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={look}
        data-state={state}
      >
        {empty ? (
          <EmptyRoom room={room.id} opening={past.kind !== "start" && past.kind !== "failed"} problem={view.problem} />
        ) : (
          <div className="sheet" style={{ height: virtualizer.getTotalSize() }}>
            <Beginning room={room.id} past={past} onRetry={() => void room.loadOlder()} />
            <ol className="rows">
              {virtualizer.getVirtualItems().map(({ key, index, start }) => {
                const row = rows[index];
                if (row === undefined) return null;
                const { key: id, ...message } = row;
                return (
                  <li
                    key={key}
                    ref={virtualizer.measureElement}
                    className="row"
                    data-index={index}
                    style={{ transform: `translateY(${start}px)` }}
                    aria-setsize={past.kind === "start" ? rows.length : -1}
                    aria-posinset={index + 1}
                  >
                    <MessageRow
                      {...message}
                      id={id}
                      today={today}
                      onSendAgain={onSendAgain}
                      onEdit={onEdit}
                      onRemove={onRemove}
                    />
                  </li>
                );
              })}
            </ol>
          </div>
        )}
      </section>
      <Cursors people={room.people} />
      {!empty && view.problem !== undefined && (
        <p className="room-problem" role="alert">
          Nothing new is shown here any more. {view.problem}
        </p>
      )}
      {!following && !empty && <NewMessages unread={unread} onJump={scrollToNewest} />}
    </div>
  );
}
