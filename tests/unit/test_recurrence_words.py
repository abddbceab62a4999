"""Cron expressions in plain English."""

from __future__ import annotations

import pytest

from flow.recurrence import Cron


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 7 * * mon-fri", "at 07:00 on Monday to Friday"),
        ("0 7 * * *", "at 07:00 every day"),
        ("0,30 7,19 * * *", "at 07:00, 07:30, 19:00 and 19:30 every day"),
        ("15 30 6 * * *", "at 06:30:15 every day"),
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("3-59/15 * * * *", "every 15 minutes from :03"),
        ("@hourly", "every hour at :00"),
        ("15,45 * * * *", "every 30 minutes from :15"),
        ("10,50 * * * *", "every hour at :10 and :50"),
        ("0 */2 * * *", "every 2 hours at :00"),
        ("5 1,3,9-13 * * *", "at :05 in the hours 01, 03 and 09 to 13"),
        ("15 9-17 * * *", "at :15 in the hours 09 to 17"),
        ("*/10 9-17 * * *", "every 10 minutes from 09:00 to 17:59"),
        ("* * * * sat,sun", "every minute on Saturday and Sunday"),
        ("*/10 3,9 * * *", "every 10 minutes in the hours 03 and 09"),
        ("*/10 3 * * *", "at 03:00, 03:10, 03:20, 03:30, 03:40 and 03:50 every day"),
        ("*/5 3 * * *", "every 5 minutes from 03:00 to 03:59"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("* * * * * *", "every second"),
        ("7 * * * * *", "at second 7 of every minute"),
        ("*/10 */5 * * * *", "every 10 seconds, every 5 minutes"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 1,15,L * *", "at 00:00 on the 1st, 15th and last day of the month"),
        ("0 0 1-7,11,22 * *", "at 00:00 on the 1st to 7th, 11th and 22nd of the month"),
        ("0 0 15W * *", "at 00:00 on the weekday nearest the 15th of the month"),
        ("0 0 * * fri#2", "at 00:00 on the second Friday of the month"),
        (
            "0 0 * * 1#1,2#3",
            "at 00:00 on the first Monday and third Tuesday of the month",
        ),
        ("0 0 * * L5", "at 00:00 on the last Friday of the month"),
        ("0 0 13 * fri", "at 00:00 on the 13th of the month or on Friday"),
        (
            "0 0 */20 * 5",
            "at 00:00 on the 1st and 21st of the month but only on Friday",
        ),
        ("* * * 1-3,6 0", "every minute on Sunday in January to March and June"),
        ("0 0 * feb *", "at 00:00 every day in February"),
        ("0 0 * * 7", "at 00:00 on Sunday"),
    ],
)
def test_a_schedule_is_described(expression: str, words: str) -> None:
    assert Cron(expression, "Asia/Tokyo").describe() == f"{words}, Asia/Tokyo"
