#!/usr/bin/env python3
"""Writes the CSV files of the demo: an invented internet provider with 330 customers.

Run it without arguments; the same files come out each time (fixed seed, standard library only).

Nobody in here exists. Names combine common given and family names. A NIK carries district 99, which no regency has.
Phone numbers start with prefixes that are given to no mobile operator. Router addresses and passwords belong to nothing.

The first customers are the cast of the demo's stories; src/bin/isp/cmd/demo/behaviour.rs knows them by their ID.
"""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 20260101
CUSTOMERS = 330
FIRST_DAY = date(2026, 1, 1)
MONTHS = 4

SITES = [
    # code, name, zone, regency code of the NIK, share of the customers, villages, regency in words
    ("SLM", "Sleman Utara", "WIB", "3404", 0.38, ["Pakem", "Ngaglik", "Turi", "Tempel"], "Kab. Sleman"),
    ("MLG", "Malang Selatan", "WIB", "3507", 0.35, ["Kepanjen", "Turen", "Dampit", "Bululawang"], "Kab. Malang"),
    ("GNY", "Gianyar", "WITA", "5104", 0.27, ["Ubud", "Sukawati", "Blahbatuh", "Tampaksiring"], "Kab. Gianyar"),
]

PACKAGES = [
    # code, name, price as a person typed it, with PPN?, speed, RouterOS profile, share of the customers
    ("HEMAT-10", "Hemat 10 Mbps", "Rp110.000", "termasuk", "10M", "hemat-10", 0.24),
    ("RUMAH-20", "Rumah 20 Mbps", "165.000", "belum", "20M", "rumah-20", 0.32),
    ("KELUARGA-30", "Keluarga 30 Mbps", "Rp 222.000", "termasuk", "30M/15M", "keluarga-30", 0.20),
    ("GAMER-50", "Gamer 50 Mbps", "275000", "belum", "50M/25M", "gamer-50", 0.13),
    ("USAHA-75", "Usaha 75 Mbps", "350.000", "belum", "75M", "usaha-75", 0.07),
    ("USAHA-100", "Usaha 100 Mbps", "Rp 450.000,00", "termasuk", "100M/100M", "usaha-100", 0.04),
]

MEN = """Agus Bambang Budi Dedi Dwi Eko Hendra Joko Slamet Sutrisno Wahyu Yanto Rudi Arif Fajar Rizki Andi Bayu Doni Galih
Hadi Imam Iwan Kurnia Lukman Mulyono Nanang Purwanto Rahmat Sigit Sugeng Supri Taufik Teguh Tri Untung Wawan Yusuf
Zainal Anwar""".split()
WOMEN = """Siti Sri Dewi Rina Endang Ani Fitri Indah Lestari Ratna Wulan Yuni Nur Ayu Dian Eka Heni Ida Kartika Lina Maya
Nita Puji Rini Sari Tuti Umi Vina Wati Yanti Yuliana Aminah Fatimah Hesti Mega Novi Putri Retno Sulastri Tari""".split()
FAMILY = """Santoso Wijaya Saputra Setiawan Hidayat Kurniawan Nugroho Prasetyo Susanto Suryadi Utomo Wibowo Hartono Gunawan
Firmansyah Ramadhan Maulana Permana Purnomo Rahayu Handayani Lestari Puspita Anggraini Wulandari Maharani Astuti
Kusuma Hakim Siregar Nasution Lubis Simanjuntak Tanjung Harahap Pratama Mahendra Yulianto Basuki Sudirman""".split()
BALI_MEN = ["I Wayan", "I Made", "I Nyoman", "I Ketut", "I Gede", "I Putu", "I Komang", "I Kadek"]
BALI_WOMEN = ["Ni Wayan", "Ni Made", "Ni Nyoman", "Ni Ketut", "Ni Putu", "Ni Komang", "Ni Kadek", "Ni Luh"]
BALI_FAMILY = """Sudarma Artawan Suarta Widiana Ardana Mertayasa Sukerta Yudana Adnyana Parwata Suastika Wirawan Budiarta
Dharmayanti Suryani Astiti Purnami Sukmawati Widyastuti Ariani""".split()
STREETS = """Melati Mawar Kenanga Anggrek Flamboyan Cempaka Merpati Kutilang Cendrawasih Diponegoro Sudirman Kartini
Pahlawan Merdeka Veteran Raya Pasar Masjid Balai-Desa Sawah-Indah""".split()
FIRMS = ("Posyandu", "Warung", "Villa")
PREFIXES = ["810", "820", "824", "826", "834"]
OUTDOOR = ["LiteBeam 5AC Gen2", "SXTsq 5 ac", "CPE510", "ONT GM220-S", "ONT F670L", "PowerBeam 5AC"]
INDOOR = ["hAP lite", "TL-WR840N", "Archer C54", "hAP ac2", "AC1200 EA6350", None]

# ID: (name, site, package, first day of service, billing day, cycle, timing). Their stories are in the demo's timeline.
CAST = [
    ("Bambang Santoso", "SLM", "RUMAH-20", date(2024, 3, 5), 5, "bulanan", "prabayar"),
    ("Rina Puspita", "SLM", "KELUARGA-30", date(2023, 11, 2), 2, "bulanan", "prabayar"),
    ("Joko Nugroho", "MLG", "RUMAH-20", date(2024, 6, 6), 6, "bulanan", "prabayar"),
    ("Sulastri Handayani", "MLG", "HEMAT-10", date(2025, 1, 8), 8, "bulanan", "prabayar"),
    ("Ni Luh Ariani", "GNY", "GAMER-50", date(2024, 9, 3), 3, "bulanan", "prabayar"),
    ("Hendra Wijaya", "SLM", "RUMAH-20", date(2024, 2, 12), 12, "bulanan", "prabayar"),
    ("Posyandu Melati Pakem", "SLM", "HEMAT-10", date(2023, 8, 10), 10, "bulanan", "prabayar"),
    ("Dwi Kurniawan", "MLG", "RUMAH-20", date(2024, 10, 20), 20, "bulanan", "prabayar"),
    ("Warung Bu Tuti", "MLG", "USAHA-75", date(2024, 12, 15), 15, "bulanan", "prabayar"),
    ("Eko Prasetyo", "MLG", "KELUARGA-30", date(2025, 3, 16), 16, "bulanan", "prabayar"),
    ("Galih Saputra", "SLM", "GAMER-50", date(2025, 2, 18), 18, "bulanan", "prabayar"),
    ("I Wayan Sudarma", "GNY", "RUMAH-20", date(2024, 4, 27), 27, "bulanan", "prabayar"),
    ("Villa Sawah Ubud", "GNY", "USAHA-100", date(2024, 7, 31), 31, "bulanan", "pascabayar"),
    ("Ratna Wulandari", "MLG", "KELUARGA-30", date(2025, 4, 20), 20, "triwulan", "prabayar"),
]


def weighted(rng, rows, share):
    return rng.choices(rows, [row[share] for row in rows])[0]


def person(rng, site):
    """A name and whether it is a woman's, which the NIK tells."""
    woman = rng.random() < 0.45
    if site[0] == "GNY":
        return f"{rng.choice(BALI_WOMEN if woman else BALI_MEN)} {rng.choice(BALI_FAMILY)}", woman
    first = rng.choice(WOMEN if woman else MEN)
    family = rng.choice([f for f in FAMILY if f != first])
    title = {True: "Ibu ", False: "Bapak "}[woman] if rng.random() < 0.06 else ""
    return f"{title}{first} {family}", woman


def nik(rng, site, woman):
    born = date(1958, 1, 1) + timedelta(days=rng.randrange(16_000))
    day = born.day + (40 if woman else 0)
    digits = f"{site[3]}99{day:02}{born.month:02}{born.year % 100:02}{rng.randrange(1, 9999):04}"
    return rng.choice([digits, digits, digits, f"{digits[:6]} {digits[6:12]} {digits[12:]}", ""])


def phone(rng, number):
    """One number in one of the forms in which people write it."""
    prefix = rng.choice(PREFIXES)
    rest = f"{10_000_000 + number * 7919 % 80_000_000:08}"
    a, b = rest[:4], rest[4:]
    return rng.choice(
        [
            f"0{prefix}-{a}-{b}",
            f"0{prefix}{a}{b}",
            f"0{prefix} {a} {b}",
            f"+62 {prefix}-{a}-{b}",
            f"+62{prefix}{a}{b}",
            f"62{prefix}{a}{b}",
            f"{prefix}{a}{b}",
            f"(0{prefix}) {a}.{b}",
        ]
    )


def address(rng, site):
    street = rng.choice(STREETS).replace("-", " ")
    number = rng.randrange(1, 140)
    return (
        f"Jl. {street} No. {number}, RT {rng.randrange(1, 9):02}/RW {rng.randrange(1, 7):02}, "
        f"{rng.choice(site[5])}, {site[6]}"
    )


def day_text(rng, day):
    """A date as one of the spreadsheets writes it."""
    return day.isoformat() if rng.random() < 0.7 else day.strftime("%d/%m/%Y")


def terms(rng, number):
    """First day of service, billing day, cycle and timing of a customer outside the cast."""
    if number > CUSTOMERS - 24:  # the newcomers of these four months
        start = FIRST_DAY + timedelta(days=3 + (number - (CUSTOMERS - 24)) * 4)
    else:
        start = date(2022, 1, 1) + timedelta(days=rng.randrange(1_400))
    day = start.day
    if rng.random() < 0.18:  # a fixed day for all who like it so
        day = 1
    elif rng.random() < 0.08:
        day = rng.choice([29, 30, 31])
    cycle = "triwulan" if rng.random() < 0.15 else "bulanan"
    timing = "pascabayar" if rng.random() < 0.04 else "prabayar"
    return start, day, cycle, timing


def customers(rng):
    """One dictionary a customer with all that the files need."""
    made = []
    for number in range(1, CUSTOMERS + 1):
        if number <= len(CAST):
            name, site_code, package, start, day, cycle, timing = CAST[number - 1]
            site = next(s for s in SITES if s[0] == site_code)
            woman = name.split()[0] in WOMEN or name.startswith("Ni ")
        else:
            site = weighted(rng, SITES, 4)
            name, woman = person(rng, site)
            package = weighted(rng, PACKAGES, 6)[0]
            start, day, cycle, timing = terms(rng, number)
        made.append(
            {
                "id": f"PLG-{number:04}",
                "number": number,
                "name": name,
                "nik": "" if name.startswith(FIRMS) else nik(rng, site, woman),
                "address": address(rng, site),
                "phone": phone(rng, number),
                "language": "en" if name.startswith("Villa") or rng.random() < 0.02 else "id",
                "site": site[0],
                "package": package,
                "start": start,
                "day": day,
                "cycle": cycle,
                "timing": timing,
            }
        )
    return made


def write(name, header, rows, delimiter=",", bom=False, crlf=False):
    """Writes one file. Separator, BOM and line ends differ, as they do when spreadsheets save."""
    with open(HERE / name, "w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        out = csv.writer(file, delimiter=delimiter, lineterminator="\r\n" if crlf else "\n")
        out.writerow(header.split(","))
        out.writerows(rows)


def password(rng):
    return "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=10))


def expenses(rng):
    for month in range(1, MONTHS + 1):
        on = lambda day: date(2026, month, day)  # noqa: E731
        for site, amount in (("SLM", 9_500_000), ("MLG", 8_250_000), ("GNY", 7_000_000)):
            yield on(5), "bandwidth", amount, f"Sewa bandwidth {site}", site
            bill = 850_000 + rng.randrange(0, 350) * 1_000
            yield on(20), "listrik", bill, f"Listrik tower dan POP {site}", site
        yield on(28), "gaji", 16_500_000, "Gaji 5 orang", ""
        yield on(28), "biaya", 640_000 + rng.randrange(0, 200) * 1_000, "Biaya payment gateway dan WhatsApp", ""
        if month % 2 == 0:
            yield on(14), "lain", 750_000, "Servis motor teknisi dan alat kerja", ""


def main():
    rng = random.Random(SEED)
    people = customers(rng)
    write("sites.csv", "kode,nama,zona", [(s[0], s[1], s[2]) for s in SITES])
    write(
        "routers.csv",
        "kode,site,alamat,username,password",
        [(f"RTR-{s[0]}", s[0], f"10.{10 + i}.0.1", "isp", password(rng)) for i, s in enumerate(SITES)],
    )
    write(
        "packages.csv",
        "kode,nama,harga,ppn,kecepatan,grup",
        [p[:6] for p in PACKAGES],
        delimiter=";",
        bom=True,
        crlf=True,
    )
    write(
        "customers.csv",
        "id_pelanggan,nama,nik,alamat,telepon,bahasa",
        [(c["id"], c["name"], c["nik"], c["address"], c["phone"], c["language"]) for c in people],
        delimiter=";",
    )
    write(
        "subscriptions.csv",
        "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,siklus,penagihan",
        [
            (
                c["id"],
                c["package"],
                f"RTR-{c['site']}",
                f"{c['site'].lower()}-{c['number']:04}",
                password(rng),
                day_text(rng, c["start"]),
                c["day"],
                c["cycle"],
                c["timing"],
            )
            for c in people
        ],
    )
    write(
        "cpes.csv",
        "serial,id_pelanggan,unit_luar,router,ip,username,password,kepemilikan,nilai",
        [cpe(rng, c) for c in people],
        delimiter="\t",
    )
    new = [c for c in people if c["start"] >= FIRST_DAY]
    write(
        "installations.csv",
        "id_pelanggan,jenis,biaya,tanggal,cicilan",
        [(c["id"], *installation(rng), day_text(rng, c["start"]), rng.choice([1, 1, 2, 3])) for c in new],
        delimiter=";",
        crlf=True,
    )
    write(
        "expenses.csv",
        "tanggal,kategori,jumlah,catatan,site",
        [(day_text(rng, on), kind, f"{amount:,}".replace(",", "."), note, site) for on, kind, amount, note, site in expenses(rng)],
        delimiter=";",
    )


def installation(rng):
    return rng.choice([("PSB-REGULER", "250.000"), ("PSB-REGULER", "Rp 250.000"), ("PSB-JAUH", "450.000"), ("PSB-PROMO", "100000")])


def cpe(rng, customer):
    lent = rng.random() < 0.7
    return (
        f"SN{customer['number']:04}{rng.randrange(16**6):06X}",
        customer["id"],
        rng.choice(OUTDOOR),
        rng.choice(INDOOR) or "",
        f"172.{20 + [s[0] for s in SITES].index(customer['site'])}.{customer['number'] // 200}.{10 + customer['number'] % 200}",
        "admin",
        password(rng),
        "dipinjamkan" if lent else rng.choice(["milik sendiri", "milik sendiri", "beli"]),
        rng.choice(["650.000", "725000", "Rp 850.000"]) if lent else rng.choice(["650.000", "725000"]),
    )


if __name__ == "__main__":
    main()
