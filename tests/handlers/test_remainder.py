"""What a pod has beyond its first page, where its markers lose things: all of it, little held."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from control_plane.handlers.listing.remainder import Remainder
from control_plane.lists.page import Item, Page
from control_plane.lists.position import ascending
from control_plane.lists.sequence import Place

#: How many items a page of the pod has.
PAGE = 3

Key = tuple[bool, tuple[object, ...]]


def key(item: Item) -> Key:
    return not item.leads, item.position


@st.composite
def pods(draw: st.DrawFn) -> list[Item]:
    """Draw items in the order of their ids, of which many lack a value and some lead."""
    values = st.sampled_from([None, None, "a", "b"])
    drawn = draw(st.lists(st.tuples(values, st.booleans()), max_size=25))
    return [
        Item(b"{}", f"{at:02}", f"{at:02}", (*ascending(value), *ascending(f"{at:02}")), leads)
        for at, (value, leads) in enumerate(drawn)
    ]


class Pod:
    """Gives its items in the order of their ids; counts how often it is asked."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self.asked = 0

    async def read(self, place: Place) -> Page:
        self.asked += 1
        start = 0 if place.after is None else int(place.after) + 1
        page = self._items[start : start + PAGE]
        return Page(tuple(page), more=len(page) == PAGE)


async def rest(remainder: Remainder, most: int) -> list[Item]:
    found: list[Item] = []
    while True:
        page = await remainder.page()
        assert len(page.items) <= most
        found += page.items
        if not page.more:
            return found
        assert len(page.items) == most


@given(pods(), st.integers(1, 6), st.integers(1, 30))
async def test_all_comes_once_and_in_order_however_little_is_held(
    items: list[Item], first: int, most: int
) -> None:
    inorder = sorted(items, key=key)
    page = Page(tuple(inorder[:first]), more=len(inorder) > first)

    found = await rest(Remainder(page, Pod(items).read, batch=most), most)

    assert found == inorder[first:]


@given(pods(), st.integers(1, 6), st.integers(1, 6), st.data())
async def test_behind_a_place_nothing_is_lost_and_what_stands_before_it_is_not_held(
    items: list[Item], first: int, most: int, data: st.DataObject
) -> None:
    inorder = sorted(items, key=key)
    page = Page(tuple(inorder[:first]), more=len(inorder) > first)
    after = data.draw(st.sampled_from([item for item in items if not item.leads] or [None]))
    place = after.position if after else None

    found = await rest(Remainder(page, Pod(items).read, place, most), most)

    wanted = [item for item in inorder[first:] if place is None or key(item) >= (True, place)]
    before = place is None or any(key(item) >= (True, place) for item in inorder[:first])
    assert found == (inorder[first:] if before else wanted)


async def test_what_the_pod_may_count_otherwise_is_not_left_out() -> None:
    """A first page that goes beyond the place says that pod and gateway may compare otherwise."""
    items = [Item(b"{}", f"{at}", f"{at}", ascending(f"{at}")) for at in range(6)]
    odd = Page((items[5], items[0]), more=True)

    found = await rest(Remainder(odd, Pod(items).read, ascending("3"), 2), 2)

    assert [item.id for item in found] == ["1", "2", "3", "4"]


async def test_a_pod_whose_first_page_is_all_is_not_asked() -> None:
    items = [Item(b"{}", "0", "0", ascending("0"))]
    pod = Pod(items)

    page = await Remainder(Page(tuple(items), more=False), pod.read).page()

    assert not page.items
    assert not page.more
    assert pod.asked == 0
