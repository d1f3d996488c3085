"""Length of texts, placeholders, registered texts, hours and words: what needs no database."""

from datetime import datetime, timedelta, timezone

import pytest
from messaging_engine import codes, dlt, hours, numbers, placeholders, words
from messaging_engine.text_length import GSM7, UCS2, measure

DHAKA = hours.Window("Asia/Dhaka", 9, 20, (hours.Break(4, 12, 14),))
INDIA = hours.Window("Asia/Kolkata", 10, 21)


@pytest.mark.proves("P-22")
@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM7, 0, 0),
        ("A" * 160, GSM7, 160, 1),
        ("A" * 161, GSM7, 161, 2),
        ("A" * 306, GSM7, 306, 2),
        ("A" * 307, GSM7, 307, 3),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        ("A" * 152 + "€" + "A" * 152, GSM7, 306, 3),
        ("আ" * 70, UCS2, 70, 1),
        ("আ" * 71, UCS2, 71, 2),
        ("আ" * 134, UCS2, 134, 2),
        ("আ" * 135, UCS2, 135, 3),
        ("আ" * 66 + "😀" + "আ" * 66, UCS2, 134, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
        ("^{}\\[~]|€\f", GSM7, 20, 1),
        ("It’s", UCS2, 4, 1),
        ("`", UCS2, 1, 1),
        ("৳ 5", UCS2, 3, 1),
    ],
)
def test_units_and_parts(text, encoding, units, parts):
    assert measure(text) == (encoding, units, parts)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        *[
            (text, "BD", "+8801799123456")
            for text in (
                *("01799123456", "8801799123456", "+880 1799-123456", "০১৭৯৯১২৩৪৫৬"),
                *("1799123456",),
            )
        ],
        ("01299123456", "BD", None),
        ("+8801099123456", "BD", None),
        ("+880179912345", "BD", None),
        ("9826268423", "IN", "+919826268423"),
        ("", "BD", None),
        (None, None, None),
    ],
)
def test_numbers(text, country, expected):
    assert numbers.to_e164(text, country) == expected


def test_country_of_a_number():
    assert numbers.country_of("+8801799123456") == "BD"
    assert numbers.country_of("+919826268423") == "IN"
    assert numbers.country_of("somebody@example.com") is None


def test_placeholders():
    text = "Dear {{ customer }}, pay {{amount}}. {{ customer }}"
    assert placeholders.names(text) == ["customer", "amount"]
    assert placeholders.fill(text, {"customer": "{{ amount }}", "amount": "5"}) == (
        "Dear {{ amount }}, pay 5. {{ amount }}"
    )
    assert placeholders.left_over(placeholders.fill(text, {"customer": "Karim"}))
    assert placeholders.left_over("Dear {{ cust omer")
    assert not placeholders.left_over("Dear Karim {or} {#var#}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Karim, pay 500. Padma", ("Karim", "500")),
        ("Dear Karim Uddin, pay Rs 1,000. Padma", ("Karim Uddin", "Rs 1,000")),
        ("Dear Karim, please pay 500. Padma", None),
        ("Dear , pay 500. Padma", None),
        (f"Dear {'K' * 31}, pay 500. Padma", None),
        ("Dear Karim, pay 500. Padma!", None),
        ("Dear Karim, pay 500? Padma", None),
    ],
)
def test_a_text_is_the_registered_one(text, expected):
    assert dlt.match("Dear {#var#}, pay {#numeric#}. Padma", text) == expected


def test_addresses_are_longer_than_words():
    text = f"Pay at https://pay.example/{'x' * 60} now"
    assert dlt.match("Pay at {#url#} now", text)
    assert dlt.match("Pay at {#var#} now", text) is None
    assert dlt.match("", "") is None


def test_share_of_fixed_text():
    assert dlt.fixed_share("{#var#} {#var#} by Padma") < dlt.MIN_FIXED
    assert dlt.fixed_share("Dear {#var#}, please pay {#var#}. Padma") >= dlt.MIN_FIXED


@pytest.mark.proves("P-22")
@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        (DHAKA, "2027-03-10 16:30", "2027-03-11 03:00"),  # 22:30 in Dhaka: next morning at nine
        (DHAKA, "2027-03-10 13:59", "2027-03-10 13:59"),  # 19:59
        (DHAKA, "2027-03-10 14:00", "2027-03-11 03:00"),  # 20:00
        (DHAKA, "2027-03-10 02:59", "2027-03-10 03:00"),  # 8:59
        (DHAKA, "2027-03-12 05:59", "2027-03-12 05:59"),  # Friday, 11:59
        (DHAKA, "2027-03-12 06:00", "2027-03-12 08:00"),  # Friday at noon
        (DHAKA, "2027-03-12 07:59", "2027-03-12 08:00"),
        (DHAKA, "2027-03-13 06:00", "2027-03-13 06:00"),  # Saturday at noon
        (INDIA, "2027-03-10 15:29", "2027-03-10 15:29"),  # 20:59
        (INDIA, "2027-03-10 15:30", "2027-03-11 04:30"),  # 21:00: next morning at ten
        (INDIA, "2027-03-10 04:29", "2027-03-10 04:30"),
    ],
)
def test_hours_of_advertising(window, moment, expected):
    naive = datetime.fromisoformat(moment)
    assert hours.next_open(naive, window) == datetime.fromisoformat(expected)
    aware = naive.replace(tzinfo=timezone.utc)
    assert hours.next_open(aware, window) == datetime.fromisoformat(f"{expected}+00:00")


def test_a_window_that_never_opens():
    assert hours.next_open(datetime(2027, 3, 10), hours.Window("UTC", 9, 9)) is None
    always = hours.Window("UTC", 0, 24)
    assert hours.next_open(datetime(2027, 3, 10, 23, 59), always) == datetime(2027, 3, 10, 23, 59)


def test_words():
    listed = ["discount", "50% off", "ছাড়", "অফার"]
    assert words.find("Get a DISCOUNT: 50% off", listed) == ["discount", "50% off"]
    assert words.find("We discounted nothing", listed) == []
    assert words.find("Save 20% off today", ["% off"]) == ["% off"]
    assert words.find("20% offline", ["% off"]) == []
    assert words.find("no discounts but a discount", listed) == ["discount"]
    # The letter can be written in two ways; endings are glued to the word.
    assert words.find("বিশেষ ছাড\u09bcে", listed) == ["ছাড়"]
    assert words.find("অফারটি নিন", listed) == ["অফার"]


def test_script():
    assert words.is_bangla("Padma Net এর নতুন প্যাকেজ দেখুন")
    assert not words.is_bangla("Notun package dekhun, Padma Net")
    assert not words.is_bangla("12345")


def test_codes_are_drawn_with_all_their_digits():
    drawn = {codes.draw() for _number in range(50)}
    assert len(drawn) > 40
    assert all(len(code) == 6 and code.isdigit() for code in drawn)


@pytest.mark.parametrize(
    ("of_number", "of_address", "country", "expected"),
    [
        ([], [], "BD", None),
        ([59], [], "BD", "wait"),
        ([60], [], "BD", None),
        ([61, 300, 899], [], "BD", "number"),
        ([61, 300, 900], [], "BD", None),
        ([900, 4000, 5000, 6000, 7000], [], "BD", "number"),
        ([], [(100, "BD")] * 9, "BD", None),
        ([], [(100, "BD")] * 10, "BD", "address"),
        ([], [(100, "BD"), (100, "IN"), (100, "NP")], "BD", None),
        ([], [(100, "BD"), (100, "IN"), (100, "NP")], "LK", "address"),
    ],
)
def test_limits_of_codes(of_number, of_address, country, expected):
    now = datetime(2027, 3, 10)
    ago = [now - timedelta(seconds=seconds) for seconds in of_number]
    asked = [(now - timedelta(seconds=seconds), other) for seconds, other in of_address]
    assert codes.refusal(now, ago, asked, country) == expected
