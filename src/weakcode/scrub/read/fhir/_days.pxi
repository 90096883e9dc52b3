# Dates of FHIR as days.

cdef int32_t day_of(Part text, bint any_end) except? -1:
    """Return the day, as days since 1970, with which a text begins; NO_DAY for what is no date, ODD_DAY if in doubt.

    What stands behind it begins with T, unless `any_end`.
    """
    cdef int year, month, day, at, place, era, of_era, of_year
    cdef int[8] digits
    if text.at == NULL:
        return _NO_DAY
    for at in range(text.size):
        if text.at[at] >= 128:
            return _ODD_DAY
    if text.size < 10:
        return _NO_DAY
    for at in range(8):
        place = at + (at >= 4) + (at >= 6)
        digits[at] = <int> text.at[place] - 48
        if not 0 <= digits[at] <= 9:
            return _ODD_DAY if any_end else _NO_DAY
    if text.at[4] != 45 or text.at[7] != 45 or (text.size > 10 and not any_end and text.at[10] != 84):
        return _ODD_DAY if any_end else _NO_DAY
    year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    month, day = digits[4] * 10 + digits[5], digits[6] * 10 + digits[7]
    if year < 1 or not 1 <= month <= 12 or day < 1 or day > days_of(year, month):
        return _ODD_DAY
    # Days from 1970 of the proleptic Gregorian calendar, in which years begin in March here.
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


cdef int days_of(int year, int month) noexcept:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
