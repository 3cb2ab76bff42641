/** A list of the API, page by page. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, type Page, type Query } from "../api/client.ts";

export function usePages<Item>(path: string, query: Query = {}, options: { readonly enabled?: boolean; readonly every?: number } = {}) {
  const result = useInfiniteQuery({
    queryKey: [path, query],
    queryFn: ({ pageParam, signal }) => api.get<Page<Item>>(path, { limit: 50, ...query, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    ...(options.every === undefined ? {} : { refetchInterval: options.every }),
  });
  return {
    ...result,
    rows: result.data?.pages.flatMap(({ data }) => data),
    more: result.hasNextPage ? { load: () => void result.fetchNextPage(), loading: result.isFetchingNextPage } : undefined,
  };
}
