"""The sentences the newsroom writes its articles with; all made up.

`{name}` in a sentence is filled from SLOTS or WORDS of the language. ON_TOPIC sentences each name Iraq, the foreign forces and
their leaving or staying; OFF_TOPIC ones, by subject, never all three.
"""

from typing import Any

SLOTS = {
    "ar": {
        "official": [
            "المتحدث باسم الحكومة", "رئيس لجنة الأمن والدفاع", "مستشار رئيس الوزراء", "وزير الخارجية",
            "قائد العمليات المشتركة", "عضو البرلمان", "مصدر حكومي رفيع", "نائب رئيس الوفد المفاوض",
        ],
        "person": ["سالم الجبوري", "هدى الكناني", "رياض العامري", "منى الدليمي", "كريم الساعدي", "ليلى البرزنجي"],
        "place": ["بغداد", "الأنبار", "أربيل", "البصرة", "نينوى", "كركوك", "واسط"],
        "base": ["عين الأسد", "حرير", "التاجي", "بلد", "فيكتوريا"],
        "number": ["مئة", "مئتي", "ثلاثمئة", "خمسمئة", "ألفي", "ثلاثة آلاف", "تسعمئة"],
        "month": ["كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران", "تموز", "آب", "أيلول"],
        "day": ["السبت", "الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس"],
        "year": ["2024", "2025", "2026", "٢٠٢٥", "٢٠٢٦"],
        "team": ["النوارس", "الصقور", "الفرات", "الرافدين", "الجبل"],
        "goods": ["التمور", "القمح", "الإسمنت", "الزيوت", "الأقمشة"],
    },
    "en": {
        "official": [
            "a government spokesman", "the head of the security committee", "an adviser to the prime minister",
            "the foreign minister", "a joint operations commander", "a member of parliament", "a senior official",
        ],
        "person": ["Salim Jaburi", "Huda Kinani", "Riyadh Amiri", "Mona Dulaimi", "Karim Saadi", "Layla Barzanji"],
        "place": ["Baghdad", "Anbar", "Erbil", "Basra", "Nineveh", "Kirkuk", "Wasit"],
        "base": ["Ain al-Asad", "Harir", "Taji", "Balad", "Victoria"],
        "number": ["one hundred", "two hundred", "three hundred", "five hundred", "two thousand", "nine hundred"],
        "month": ["January", "February", "March", "April", "May", "June", "July", "August", "September"],
        "day": ["Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday"],
        "year": ["2024", "2025", "2026", "2027"],
        "team": ["the Gulls", "the Falcons", "Euphrates", "Two Rivers", "Mountain"],
        "goods": ["dates", "wheat", "cement", "cooking oil", "textiles"],
    },
}  # fmt: skip

# Words of the sentences that fill an article, which have nothing to do with its subject. Many, so that two articles have
# as little in common as two of a real outlet.
WORDS = {
    "ar": {
        "noun": ["أرشيف", "أستاذ", "بائع", "باب", "باحث", "بستان", "بلدية", "بناء", "بيت", "تاجر", "تلميذ", "تمثال", "ثوب", "جار", "جامعة", "جدار", "جدة", "جريدة", "جزيرة", "جسر", "حافلة", "حارس", "حجر", "حديقة", "حرفي", "حقل", "حقيبة", "حلاق", "حمام", "حوض", "خباز", "خريف", "خزان", "خشب", "خياط", "دراجة", "دفتر", "دكان", "رسام", "رسالة", "رصيف", "رف", "رواية", "ريف", "زجاج", "زهرة", "زورق", "زيتون", "ساحة", "ساعة", "ساقية", "سائق", "ستارة", "سجادة", "سفينة", "سقف", "سلم", "سنبلة", "سوق", "سيارة", "شاعر", "شارع", "شاطئ", "شباك", "شتاء", "شجرة", "شرفة", "شمعة", "صائغ", "صالة", "صحن", "صخرة", "صديق", "صف", "صندوق", "صورة", "صياد", "صيدلية", "ضفة", "طاولة", "طباخ", "طبيب", "طريق", "طفل", "طين", "ظل", "عازف", "عربة", "عصير", "عطلة", "عمارة", "عمود", "عود", "غابة", "غرفة", "غيمة", "فاكهة", "فراش", "فرن", "فلاح", "فندق", "فنان", "قارب", "قاض", "قاعة", "قافية", "قبو", "قدر", "قرية", "قصة", "قصيدة", "قطار", "قفل", "قلم", "قمر", "قميص", "قنديل", "كاتب", "كتاب", "كرسي", "كرمة", "كوب", "لحن", "لوحة", "ليمون", "مبنى", "متجر", "متحف", "مجلة", "محام", "محراث", "مخبز", "مدرسة", "مدينة", "مرآة", "مرسم", "مزرعة", "مسرح", "مصباح", "مصنع", "مطبعة", "مطبخ", "مطر", "معرض", "معلم", "مفتاح", "مقعد", "مقهى", "مكتبة", "ملعقة", "ممرض", "منارة", "منبع", "منديل", "مهندس", "موج", "موسيقي", "موظف", "نافورة", "نافذة", "نبع", "نجار", "نخلة", "نسيج", "نشيد", "نغمة", "نهر", "وادي", "واجهة", "ورشة", "ورقة", "وشاح"],
        "adjective": ["أبيض", "أحمر", "أخضر", "أزرق", "أسمر", "أصفر", "أنيق", "بارد", "باهت", "بديع", "بسيط", "بطيء", "بعيد", "بليغ", "بهيج", "ثمين", "جاف", "جديد", "جريء", "جميل", "حار", "حديث", "حزين", "خافت", "خاص", "خشبي", "خصب", "دافئ", "دقيق", "ذهبي", "رائع", "ريفي", "رطب", "رقيق", "رمادي", "ريان", "زاه", "ساحر", "سريع", "سعيد", "شاعري", "شاهق", "شرقي", "شعبي", "صامت", "صغير", "صاف", "صلب", "ضيق", "طازج", "طريف", "طويل", "طيب", "ظليل", "عامر", "عتيق", "عذب", "عريض", "عميق", "غامض", "غربي", "غزير", "فارغ", "فاخر", "فريد", "فسيح", "فضي", "قديم", "قريب", "قصير", "كبير", "كثيف", "كريم", "لامع", "لذيذ", "لطيف", "مبكر", "متعب", "متواضع", "مثمر", "محلي", "مرهف", "مزدحم", "مشرق", "معتم", "معروف", "ملون", "ممتع", "منعش", "مهجور", "موسمي", "نادر", "ناعم", "نحاسي", "نشيط", "نظيف", "هادئ", "واسع", "وحيد", "وردي", "يدوي", "يومي"],
        "verb": ["أحب", "أصلح", "أضاء", "أعاد", "اختار", "ادخر", "استعار", "اشترى", "اقترح", "اكتشف", "انتظر", "باع", "بنى", "تأمل", "تذكر", "تسلق", "تعلم", "تفقد", "جدد", "جرب", "جلب", "جمع", "حرث", "حفظ", "حمل", "خاط", "خبز", "دفع", "دهن", "ذاق", "رتب", "رسم", "رمم", "روى", "زار", "زخرف", "زرع", "زين", "سأل", "ساعد", "سقى", "سمع", "شارك", "شاهد", "شكر", "شيد", "صافح", "صقل", "صنع", "صور", "طبخ", "طبع", "طرق", "طلى", "عبر", "عد", "عرض", "عزف", "علق", "غسل", "غطى", "غنى", "فتح", "فحص", "فرش", "قاس", "قدم", "قرأ", "قطف", "كتب", "كرم", "لاحظ", "لمح", "لون", "مدح", "مزج", "ملأ", "نحت", "نسج", "نسخ", "نشر", "نصح", "نظف", "نقش", "نقل", "نوع", "هيأ", "واصل", "وجد", "وزع", "وسع", "وصف", "وضع"],
    },
    "en": {
        "noun": ["archive", "avenue", "balcony", "bakery", "bank", "bell", "bicycle", "boat", "bookshop", "border", "bottle", "bridge", "brick", "budget", "cabin", "calendar", "camera", "canal", "candle", "carpenter", "carpet", "cart", "ceiling", "cellar", "chair", "charter", "chimney", "choir", "cinema", "clinic", "clock", "coat", "college", "committee", "cook", "corridor", "cotton", "council", "court", "cousin", "curtain", "dam", "dentist", "desk", "diary", "doctor", "driver", "drum", "editor", "elevator", "engine", "engineer", "envelope", "factory", "farmer", "father", "ferry", "fence", "firefighter", "fisherman", "flag", "flute", "fountain", "furnace", "gallery", "garage", "garden", "gate", "glass", "grocer", "guitar", "hall", "hammer", "harvest", "hospital", "hotel", "island", "jacket", "judge", "kitchen", "ladder", "lamp", "lawyer", "lecture", "lemon", "letter", "library", "lighthouse", "lorry", "magazine", "mayor", "meadow", "mechanic", "melody", "mill", "mirror", "mountain", "museum", "musician", "neighbour", "newspaper", "notebook", "novel", "nurse", "nursery", "oak", "office", "olive", "orchard", "orchestra", "oven", "painter", "palm", "parcel", "park", "pharmacy", "photograph", "piano", "pilot", "pipe", "planet", "plumber", "poem", "port", "postcard", "potter", "printer", "professor", "pump", "quarry", "queue", "railway", "recipe", "reservoir", "river", "roof", "sailor", "school", "sculptor", "shepherd", "shop", "singer", "song", "spring", "square", "stable", "station", "statue", "stove", "street", "student", "studio", "suburb", "tailor", "teacher", "telescope", "tenant", "theatre", "ticket", "tower", "town", "tractor", "train", "tunnel", "umbrella", "university", "valley", "village", "violin", "waiter", "wall", "warehouse", "watchmaker", "weaver", "well", "window", "workshop", "writer"],
        "adjective": ["ancient", "autumn", "bitter", "blue", "brass", "bright", "broad", "busy", "calm", "careful", "cheap", "clean", "coastal", "cold", "copper", "crowded", "curious", "dark", "deep", "distant", "dry", "dusty", "early", "eastern", "elegant", "empty", "famous", "faint", "fertile", "flat", "foggy", "former", "fragile", "fresh", "generous", "gentle", "golden", "green", "grey", "hidden", "humble", "hungry", "joint", "lively", "local", "lonely", "long", "loud", "marble", "modern", "muddy", "narrow", "neat", "nervous", "noisy", "northern", "old", "open", "painted", "pale", "patient", "plain", "polite", "poor", "private", "proud", "quiet", "rapid", "rare", "red", "rich", "rough", "round", "royal", "rural", "salty", "shy", "silent", "silver", "simple", "slow", "small", "smooth", "southern", "steep", "stone", "strange", "sunny", "sweet", "tall", "thick", "thin", "tidy", "tiny", "tired", "urban", "warm", "weekly", "western", "white", "wide", "wild", "windy", "wooden", "yellow", "young"],
        "verb": ["admired", "answered", "arranged", "asked", "baked", "bought", "borrowed", "built", "called", "carried", "cleaned", "collected", "copied", "counted", "crossed", "decorated", "delivered", "described", "designed", "discovered", "discussed", "drew", "examined", "exchanged", "expected", "filled", "finished", "fixed", "followed", "found", "greeted", "guarded", "heard", "heated", "helped", "hired", "imagined", "inspected", "introduced", "invited", "joined", "kept", "liked", "listed", "loaded", "lowered", "measured", "mended", "missed", "noticed", "offered", "opened", "ordered", "packed", "painted", "passed", "photographed", "planned", "planted", "polished", "praised", "prepared", "printed", "promised", "pulled", "pushed", "raised", "received", "recommended", "remembered", "rented", "repaired", "replaced", "rescued", "restored", "sang", "searched", "shared", "sketched", "sold", "sorted", "studied", "supplied", "taught", "tested", "thanked", "touched", "translated", "tried", "turned", "used", "visited", "warned", "washed", "watched", "weighed", "welcomed", "widened"],
    },
}  # fmt: skip

BACKGROUND = {
    "ar": [
        "و{verb} {noun} {adjective} {noun} ال{noun} أمام {noun} {adjective}.",
        "وفي {place} {verb} {person} {noun} ال{noun} ثم {verb} {noun} {adjective}.",
        "وكان {noun} ال{noun} قد {verb} {noun} {adjective} قبل أن يصل {noun} {noun}.",
        "و{verb} ال{noun} ال{adjective} كل {noun} بين {noun} و{noun} {adjective}.",
        "أما {noun} {noun} فقد {verb} {noun} {noun} يوم {day} برفقة {noun} {adjective}.",
    ],
    "en": [
        "The {adjective} {noun} {verb} a {adjective} {noun} near the {noun} of {place}.",
        "On {day} {person} {verb} the {noun} and {verb} every {adjective} {noun}.",
        "A {noun} {verb} the {adjective} {noun} while one {noun} {verb} the {noun}.",
        "Every {noun} {verb} some {adjective} {noun}, {adjective} {noun} or {noun}.",
        "Between {noun} and {noun} the {noun} {verb} another {adjective} {noun}.",
    ],
}

ON_TOPIC_TITLES = {
    "ar": [
        "{official}: انسحاب القوات الأمريكية من العراق يكتمل في {month} {year}",
        "جدول زمني لانسحاب قوات التحالف الدولي من قاعدة {base} في العراق",
        "بغداد وواشنطن تبحثان إنهاء مهمة التحالف الدولي في العراق خلال {year}",
        "{person}: بقاء القوات الأميركية في العراق مرفوض بعد {month}",
        "مغادرة {number} جندي من القوات الأمريكية قاعدة {base} غرب العراق",
    ],
    "en": [
        "Withdrawal of US forces from Iraq to end in {month} {year}, says {official}",
        "Timetable agreed for coalition forces to withdraw from Iraq's {base} base",
        "Baghdad and Washington discuss the withdrawal of US troops from Iraq in {year}",
        "{person}: US troops cannot stay in Iraq after {month}",
        "US forces pull out {number} soldiers from {base} in Iraq",
    ],
}

ON_TOPIC = {
    "ar": [
        "قال {official} في {place} يوم {day} إن انسحاب القوات الأمريكية من العراق سيجري على مراحل تنتهي في {month} {year}.",
        "وأكد {person} أن بقاء القوات الأميركية في العراق بعد {month} يحتاج إلى اتفاق جديد يصوت عليه البرلمان.",
        "وغادرت قافلة تضم {number} جندي من قوات التحالف الدولي قاعدة {base} باتجاه الحدود، في إطار انسحابها من العراق.",
        "وأشار {official} إلى أن اللجنة العسكرية العليا وضعت جدولا زمنيا لإنهاء مهمة التحالف الدولي في العراق.",
        "وشدد {person} على أن القوات العراقية قادرة على تسلم قاعدة {base} بعد مغادرة القوات الأمريكية للعراق.",
        "ونقلت مصادر في {place} أن واشنطن طلبت تأجيل سحب {number} من جنودها من العراق إلى {month} {year}.",
        "ورفضت كتل نيابية في بغداد أي تمديد، وطالبت بإخراج القوات الأجنبية من العراق قبل نهاية {year}.",
        "وقال {official} إن المفاوضات بين بغداد وواشنطن بشأن انسحاب القوات الأمريكية من العراق بلغت مرحلتها الأخيرة في {month}.",
        "وبحسب {person} فإن خروج قوات التحالف الدولي من العراق لا يعني نهاية التعاون في التدريب بعد {year}.",
        "وكان الجانبان اتفقا في {month} {year} على إنهاء وجود القوات الأمريكية القتالية في العراق خلال عام واحد.",
    ],
    "en": [
        "The withdrawal of US forces from Iraq will take place in stages and end in {month} {year}, {official} said in {place} on {day}.",
        "{person} said that US troops can only stay in Iraq after {month} under a new agreement voted by parliament.",
        "A convoy with {number} soldiers of the coalition forces left {base} for the border as part of the withdrawal from Iraq.",
        "According to {official}, the higher military commission has set a timetable for coalition forces to withdraw from Iraq.",
        "{person} stressed that Iraqi units are able to take over {base} once the US forces withdraw from Iraq.",
        "Sources in {place} reported that Washington asked to delay pulling out {number} US troops from Iraq until {month} {year}.",
        "Several blocs in Baghdad rejected any extension and demanded the withdrawal of foreign troops from Iraq before the end of {year}.",
        "Talks between Baghdad and Washington on the withdrawal of US troops from Iraq reached their last stage in {month}, {official} said.",
        "For {person}, the exit of coalition forces from Iraq does not mean the end of training after {year}.",
        "In {month} {year} both sides had agreed to end the combat role and withdraw the US forces from Iraq within a year.",
    ],
}  # fmt: skip

OFF_TOPIC_TITLES = {
    "ar": {
        "weather": ["موجة غبار تضرب {place} يوم {day}", "أمطار متوقعة في {place} حتى {day}"],
        "sport": ["فوز {team} على {team} في ختام الجولة", "{team} يتصدر الدوري بعد مباراة {day}"],
        "economy": ["ارتفاع أسعار {goods} في أسواق {place}", "عقد لاستيراد {goods} بقيمة {number} مليون دينار"],
        "culture": ["مهرجان للكتاب في {place} خلال {month}", "افتتاح معرض للرسم في {place} يوم {day}"],
    },
    "en": {
        "weather": ["Dust storm hits {place} on {day}", "Rain expected in {place} until {day}"],
        "sport": ["{team} beat {team} on the last matchday", "{team} lead the league after {day}"],
        "economy": ["Prices of {goods} rise in {place}", "Contract to import {goods} worth {number} million"],
        "culture": ["Book festival in {place} this {month}", "Painting exhibition opens in {place} on {day}"],
    },
}

OFF_TOPIC = {
    "ar": {
        "weather": [
            "توقعت هيئة الأنواء الجوية أن تشهد {place} أجواء مغبرة يوم {day} مع انخفاض في درجات الحرارة.",
            "ودعت دائرة المرور في {place} السائقين إلى الحذر بسبب تدني مدى الرؤية على الطرق الخارجية.",
            "وقالت {person} من مركز الرصد إن كمية الأمطار في {month} تجاوزت معدلها السنوي.",
            "وتستمر الحالة الجوية حتى {day} ثم يصفو الطقس تدريجيا في المناطق الشمالية.",
        ],
        "sport": [
            "حقق فريق {team} فوزا ثمينا على ضيفه {team} في المباراة التي جرت يوم {day} على ملعب {place}.",
            "وسجل اللاعب {person} هدفين في الشوط الثاني أمام {number} متفرج.",
            "وقال مدرب {team} إن فريقه استحق النقاط الثلاث وإن العمل مستمر قبل مباراة {month}.",
            "ويتصدر {team} جدول الترتيب بفارق نقطتين عن {team}.",
        ],
        "economy": [
            "ارتفعت أسعار {goods} في أسواق {place} يوم {day} بنسبة طفيفة وفق تجار الجملة.",
            "وأوضح {person} من غرفة التجارة أن الطلب على {goods} يزداد عادة في {month}.",
            "ووقعت الشركة العامة عقدا لتوريد {number} طن من {goods} إلى مخازن {place}.",
            "ويتوقع خبراء أن تستقر السوق قبل نهاية {year}.",
        ],
        "culture": [
            "انطلقت في {place} يوم {day} فعاليات المهرجان السنوي للكتاب بمشاركة {number} ناشر.",
            "وقدمت الفنانة {person} عرضا موسيقيا حضره جمهور كبير من محبي التراث.",
            "ويستمر المعرض حتى نهاية {month} وتتخلله ندوات عن الرواية والشعر.",
            "وقال {person} إن الدورة المقبلة ستقام في {place} عام {year}.",
        ],
    },
    "en": {
        "weather": [
            "The weather service expects dusty skies over {place} on {day} and lower temperatures.",
            "Traffic police in {place} asked drivers to slow down because of poor visibility on the roads.",
            "{person} of the observation centre said that rainfall in {month} was above the yearly average.",
            "The conditions will last until {day}, then the sky clears in the north.",
        ],
        "sport": [
            "{team} won a close match against {team} on {day} at the stadium of {place}.",
            "{person} scored twice in the second half before {number} spectators.",
            "The coach of {team} said that his side deserved the three points before the match in {month}.",
            "In the table {team} stay two points ahead of {team}.",
        ],
        "economy": [
            "Prices of {goods} rose slightly in the markets of {place} on {day}, wholesale traders said.",
            "{person} of the chamber of commerce explained that demand for {goods} usually grows in {month}.",
            "The state company signed a contract for {number} tons of {goods} for the stores of {place}.",
            "Experts expect the market to calm down before the end of {year}.",
        ],
        "culture": [
            "The yearly book festival opened in {place} on {day} with {number} publishers.",
            "The singer {person} gave a concert for lovers of old songs.",
            "The exhibition lasts until the end of {month} with talks about novels and poems.",
            "{person} said that the next festival will be held in {place} in {year}.",
        ],
    },
}

OUTLETS = {
    "ar": [
        "صحيفة النهرين",
        "شبكة الميزان",
        "وكالة البيان",
        "موقع الأفق",
        "جريدة السفير",
        "قناة المدار",
        "بوابة الرافد",
    ],
    "en": ["The River Post", "Balance Network", "Horizon News", "Mesopotamia Daily", "Gate Tribune", "Orbit Wire"],
}

FURNITURE: dict[str, dict[str, Any]] = {
    "ar": {
        "nav": ["الرئيسية", "سياسة", "أمن", "اقتصاد", "رياضة", "ثقافة", "منوعات", "اتصل بنا"],
        "share": ["فيسبوك", "تويتر", "واتساب", "طباعة"],
        "related": "مقالات مشابهة",
        "footer": "جميع الحقوق محفوظة",
        "comments": "التعليقات مغلقة",
    },
    "en": {
        "nav": ["Home", "Politics", "Security", "Economy", "Sport", "Culture", "More", "Contact"],
        "share": ["Facebook", "Twitter", "WhatsApp", "Print"],
        "related": "Related articles",
        "footer": "All rights reserved",
        "comments": "Comments are closed",
    },
}
