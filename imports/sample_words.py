"""The words of the sample catalogue: how the things in it are named and described.

Brands and series are invented. Products are described in telegram style ("Hard-wearing bread knife made with
carbon steel"), which reads well for singular, plural and mass nouns alike.
"""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


COLOURS = _words(
    "black|white|natural|anthracite|sand|moss green|petrol|navy|rust red|mustard|terracotta|rosé|crème|olive|"
    "sky blue|bordeaux|charcoal|mint|café|lilac"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What products of one make have in common.

    Prices are whole euros, weights grams, both (lowest, highest); `traits` are the values of `trait`.
    """

    price: tuple[int, int]
    weight: tuple[int, int]
    materials: tuple[str, ...]
    sizes: tuple[str, ...]
    sentences: tuple[str, ...]
    trait: str = "colour"
    traits: tuple[str, ...] = COLOURS


KINDS = {
    "cookware": Kind(
        price=(6, 160),
        weight=(120, 5200),
        materials=_words(
            "stainless steel|cast iron|enamelled steel|carbon steel|hammered copper|hard-anodised aluminium"
        ),
        sizes=_words('16 cm|20 cm|24 cm|28 cm|8"|10"|12"'),
        sentences=_words(
            "Suits gas, induction and ceramic hobs and goes into the oven up to 220 °C.|"
            "The riveted handle stays cool and sits securely in the hand.|"
            "Rinse with warm water; a drop of oil keeps the surface in good shape.|"
            "Balanced weight for long evenings at the stove.|"
            "Tested in our own kitchen for six months before we listed it."
        ),
    ),
    "tableware": Kind(
        price=(4, 90),
        weight=(90, 2400),
        materials=_words("glazed stoneware|fine porcelain|recycled glass|bamboo|olive wood|crystal glass"),
        sizes=_words("single|set of 2|set of 4|set of 6|set of 12"),
        sentences=_words(
            "Fired twice, so that every piece comes out a little different.|"
            "Stacks neatly and takes up little room in the cupboard.|"
            "Goes into the dishwasher, the microwave and the oven.|"
            "Chips are rare, and single pieces can be bought again for years.|"
            "Looks at home on a weekday as well as at a festive table."
        ),
    ),
    "textile": Kind(
        price=(9, 220),
        weight=(150, 3200),
        materials=_words("washed linen|organic cotton|virgin wool|cotton velvet|bouclé|Jacquard cotton"),
        sizes=_words("50 × 70 cm|80 × 80 cm|100 × 150 cm|135 × 200 cm|140 × 220 cm"),
        sentences=_words(
            "Pre-washed, soft from the first day and softer with every wash.|"
            "Woven in a family mill that has run the same looms for decades.|"
            "Machine wash at 40 °C, dry on the line, iron while slightly damp.|"
            "Dyed without heavy metals and tested for harmful substances.|"
            "The double-stitched hem keeps its shape."
        ),
    ),
    "furniture": Kind(
        price=(39, 1900),
        weight=(2500, 64000),
        materials=_words("solid oak|ash veneer|oiled walnut|beech|powder-coated steel|woven rattan"),
        sizes=_words("40 cm|60 cm|80 cm|120 cm|160 cm|180 cm"),
        sentences=_words(
            "Arrives in two parcels; assembly takes two people about 30 minutes.|"
            "Adjustable feet even out an uneven floor.|"
            "The oiled surface can be sanded and freshened up at home.|"
            "Wood from certified forests, screws and fittings included.|"
            "Spare parts stay available for at least ten years."
        ),
    ),
    "electric": Kind(
        price=(12, 480),
        weight=(80, 6500),
        materials=_words("brushed aluminium|recycled plastic|frosted glass|anodised steel|matt ABS plastic"),
        sizes=_words("Mk 2|Series 3|USB-C|230 V|Pro|Mini"),
        sentences=_words(
            "Set up in five minutes, with no account and no app required.|"
            "Uses less than half a watt on standby.|"
            "Battery and cable can be replaced without special tools.|"
            "Comes with a printed manual in English, German, French and Spanish.|"
            "Firmware updates are free for five years."
        ),
    ),
    "screen": Kind(
        price=(79, 2400),
        weight=(450, 16000),
        materials=_words("an aluminium frame|a matt IPS panel|tempered glass|a bezel of recycled plastic"),
        sizes=_words('10.9"|13.3"|15.6"|24"|27"|32"'),
        sentences=_words(
            "Calibrated at the factory and flicker-free at every brightness.|"
            "Two USB-C ports, one HDMI port and a headphone jack.|"
            "The stand tilts, turns and adjusts in height.|"
            "Dead pixels are covered by the guarantee from the very first one.|"
            "Quiet enough for a bedroom, bright enough for a sunny desk."
        ),
    ),
    "apparel": Kind(
        price=(9, 260),
        weight=(60, 1400),
        materials=_words(
            "merino wool|organic cotton|European linen|recycled fleece|brushed flannel|stretch denim"
        ),
        sizes=_words("XS|S|M|L|XL|XXL"),
        sentences=_words(
            "Regular fit; take your usual size, or one up for a loose fit.|"
            "Flat seams and a soft collar, so that nothing rubs.|"
            "Wash at 30 °C with similar colours and dry on the line.|"
            "Sewn in Portugal from cloth woven in Italy.|"
            "Reinforced at elbows and pockets, where clothes wear first."
        ),
    ),
    "leather": Kind(
        price=(19, 320),
        weight=(150, 2100),
        materials=_words(
            "full-grain leather|soft suede|waxed canvas|vegetable-tanned leather|recycled nylon"
        ),
        sizes=_words("EU 37|EU 38|EU 39|EU 40|EU 41|EU 42|EU 43|EU 44"),
        sentences=_words(
            "Stitched, not glued, so that a cobbler can renew the sole.|"
            "Comfortable from the first day and better with every wear.|"
            "A little wax twice a year keeps out the rain.|"
            "The footbed comes out for airing and takes insoles.|"
            "Made in small batches; shades may differ a little."
        ),
    ),
    "bag": Kind(
        price=(15, 280),
        weight=(120, 3200),
        materials=_words(
            "waxed canvas|recycled polyester|vegetable-tanned leather|ripstop nylon|cotton twill"
        ),
        sizes=_words("5 l|12 l|18 l|25 l|40 l"),
        sentences=_words(
            "One large compartment, two pockets outside and a hidden one for keys.|"
            "Water-repellent, with a zip that runs smoothly in the cold.|"
            "Fits under the seat of most airlines.|"
            "Padded where it touches your back, light everywhere else.|"
            "Straps and buckles can be replaced one by one."
        ),
    ),
    "sport": Kind(
        price=(7, 420),
        weight=(90, 12000),
        materials=_words(
            "reinforced nylon|natural rubber|anodised aluminium|recycled polyester|laminated birch|fibreglass"
        ),
        sizes=_words('junior|senior|S/M|L/XL|28"|set of 2'),
        sentences=_words(
            "Chosen by clubs and schools because it survives whole seasons.|"
            "Grips well with wet hands and cold fingers.|"
            "Packs down small and comes with a mesh bag.|"
            "Suitable for beginners, and not outgrown by those who train every day.|"
            "Meets the European standard for its class."
        ),
    ),
    "tool": Kind(
        price=(5, 390),
        weight=(80, 9800),
        materials=_words(
            "forged steel|chrome-vanadium steel|ash wood|hardened steel|impact-proof plastic|galvanised steel"
        ),
        sizes=_words('6 mm|10 mm|1/2"|3/4"|200 mm|300 mm'),
        sentences=_words(
            "Sharpened by hand, and easily sharpened again.|"
            "Slim handle, safe grip, no play even after years of work.|"
            "Hang it by the eyelet or keep it in the box supplied.|"
            "Protected against rust; wipe dry after use.|"
            "Professionals use it every day, hobbyists keep it for life."
        ),
    ),
    "garden": Kind(
        price=(4, 340),
        weight=(100, 15000),
        materials=_words(
            "galvanised steel|terracotta|weatherproof acacia|recycled plastic|coconut fibre|forged steel"
        ),
        sizes=_words("20 cm|35 cm|60 cm|1 m|2.5 m|10 m"),
        sentences=_words(
            "Stays outside all year without fading or cracking.|"
            "Just as useful on a small balcony as in a large garden.|"
            "Bees, birds and hedgehogs are welcome.|"
            "Drains well, so that roots never stand in water.|"
            "Clean it with a brush and water; nothing else is needed."
        ),
    ),
    "toy": Kind(
        price=(5, 140),
        weight=(60, 3800),
        materials=_words(
            "beech wood|birch plywood|organic cotton plush|recycled plastic|sturdy cardboard|felted wool"
        ),
        sizes=_words("12 pieces|24 pieces|60 pieces|100 pieces|mini|maxi"),
        sentences=_words(
            "Suitable from three years; tested for small parts and saliva-proof colours.|"
            "Leaves room for stories of one's own.|"
            "For rainy afternoons, long journeys and birthday tables.|"
            "Lost pieces can be ordered one at a time.|"
            "Rounded edges, quiet wheels, no batteries."
        ),
    ),
    "care": Kind(
        price=(3, 75),
        weight=(30, 1100),
        materials=_words("shea butter|oat milk|calendula|sea buckthorn oil|aloe vera|jojoba oil"),
        sizes=_words("30 ml|50 ml|100 ml|250 ml|500 ml|refill"),
        sentences=_words(
            "Free of microplastics, silicones and mineral oil.|"
            "A small amount is enough, morning and evening.|"
            "Dermatologically tested and kind to sensitive skin.|"
            "Lightly scented with crème de cassis and cedar.|"
            "The container is recycled and can be refilled."
        ),
        trait="scent",
        traits=_words("lavender|rose|cedar|lemon|fig|vétiver|bergamot|pine|verbena|neroli|mint|no scent"),
    ),
    "food": Kind(
        price=(2, 45),
        weight=(80, 2100),
        materials=_words(
            "organic ingredients|hand-picked ingredients|single-origin ingredients|regional ingredients"
        ),
        sizes=_words("100 g|250 g|500 g|750 g|1 kg|jar"),
        sentences=_words(
            "May contain traces of nuts, milk and sesame.|"
            "Store in a cool, dry place and use within four weeks of opening.|"
            "Made in small batches, to the recipe of a village pâtisserie.|"
            "No palm oil, no flavourings, no added sugar.|"
            "A good present for people who have everything."
        ),
        trait="flavour",
        traits=_words(
            "vanilla|hazelnut|orange|sea salt|cinnamon|ginger|cassis|purée de figue|cardamom|chilli|honey"
        ),
    ),
    "paper": Kind(
        price=(2, 60),
        weight=(20, 1600),
        materials=_words("recycled paper|cotton paper|kraft board|bookbinding linen|acid-free paper"),
        sizes=_words("A4|A5|A6|pack of 5|pack of 10|pack of 50"),
        sentences=_words(
            "Lies flat when open and takes fountain pen ink without bleeding.|"
            "Bound with thread, not glue.|"
            "Printed with plant-based inks in a small workshop.|"
            "Fits standard shelves, folders and trays.|"
            "Smooth on the front, lightly textured on the back."
        ),
    ),
    "music": Kind(
        price=(8, 1400),
        weight=(60, 9500),
        materials=_words("solid spruce|flamed maple|mahogany|lacquered brass|nickel silver|grenadilla wood"),
        sizes=_words("1/4|1/2|3/4|4/4|student|stage"),
        sentences=_words(
            "Set up and tuned by our workshop before it leaves the house.|"
            "Warm in the low notes, clear in the high ones.|"
            "Light enough for children, good enough for an orchestra.|"
            "Includes a padded case, a cloth and a spare set.|"
            "Hold it once and you will know."
        ),
    ),
}

ADJECTIVES = _words(
    "Classic|Compact|Everyday|Slim|Robust|Light|Modern|Rustic|Foldable|Handmade|Premium|Basic|Natural|"
    "Elegant|Vintage|Essential|Portable|Signature|Seasonal|Travel|Family|Studio|Original|Fine"
)
SERIES = _words(
    "Ahorn|Alba|Älv|Amalfi|Arbre|Aurora|Avelã|Bergen|Birke|Björk|Blåbär|Bora|Bucht|Brisa|Calma|Candela|"
    "Cèdre|Cielo|Colibri|Corail|Dagg|Dalia|Delta|Düne|Éclat|Eiche|Elbe|Ember|Érable|Estrela|Falke|Fenn|"
    "Fjäll|Fjord|Flamme|Forêt|Fuchs|Galet|Ginster|Glade|Granit|Grön|Hagen|Halo|Hazel|Heide|Höst|Hvid|Île|"
    "Isar|Iris|Jura|Kalla|Kiesel|Klippe|Korall|Kupfer|Lago|Larch|Lärche|Lerche|Lichen|Linde|Lofoten|Løv|"
    "Luna|Lykke|Maré|Maple|Marina|Möwe|Mistral|Moos|Morgen|Myrte|Nebel|Noche|Nord|Nube|Océan|Ombre|Onda|"
    "Orme|Pampa|Pinie|Plage|Prado|Quarz|Råg|Regen|Reef|Rille|Río|Rocher|Rosée|Rügen|Sable|Salix|Savanne|"
    "Schnee|Señal|Silva|Sjö|Skog|Sol|Sommar|Sund|Taiga|Tanne|Terra|Thym|Tide|Tindra|Toundra|Trä|Ulme|Umbra|"
    "Vague|Vento|Verde|Vinter|Wald|Weide|Welle|Wren|Yuzu|Zeder|Zéphyr|Zimt|Zora"
)
BRANDS = _words(
    "Alderwick|Aubépine|Bramfeld|Brightwater|Casa Lumbre|Copperleaf|Dünenhof|Eastmoor|Elmhaus|Fernhill|"
    "Fjordlund|Grauwerk|Greystoke & Co|Halfmoon Lane|Harbour & Pine|Hofgut|Ivory Lane|Kaskade|"
    "Kestrel Works|Klar & Kante|La Bergerie|Lindgrove|Lumière 9|Maison Verte|Marlbrook|Mühlbach|Nordvik|"
    "Oakridge|Ostwind|Pebble & Pine|Petit Jour|Quartermill|Rookery|Rosengarten|Sandholm|Sierra Alta|"
    "Skovgaard|Stonebridge|Tallwood|Tidewell|Überland|Vallée|Wetterstein|Wildbach|Windmere|Wolkenlos|"
    "Yarrow|Zwölf"
)
LEADS = _words(
    "Carefully made|Well-balanced|Hard-wearing|Timeless|Best-selling|Newly designed|Lovingly finished|"
    "Dependable|Cleverly thought-out|Award-winning|Much-loved|Honest|Long-lasting|Good-looking"
)
TAILS = _words(
    "made with {material} and built for years of daily use.|"
    "made with {material}, designed to be repaired rather than replaced.|"
    "with {material}, calm lines and not a detail too many.|"
    "made with {material} for homes that are really lived in.|"
    "that combines {material} with a shape that has been right for generations.|"
    "made with {material}: simple, sturdy and pleasant to the touch.|"
    "for people who notice details, made with {material} in our own workshop.|"
    "made with {material} for all who like good things and keep them for a long time."
)
CLOSINGS = _words(
    "Packed without plastic.|Ships within two working days.|Thirty days to try it at home.|"
    "Two-year guarantee, no questions asked.|Five-year guarantee on material and workmanship.|"
    "Designed in Malmö, made in Europe.|Part of a series, so that matching pieces can follow later.|"
    "Weight and colour may vary slightly, as no two pieces are the same.|"
    "A favourite of our customers since 2011.|One percent of the price goes to a tree nursery.|"
    "Comes in a gift box at no extra charge.|Also available in other sizes and colours.|"
    "Spare parts on request."
)
