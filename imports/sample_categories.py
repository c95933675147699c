"""The 500 categories of the sample catalogue, and what is sold in each."""

from imports.sample_words import KINDS, Kind

# Department | group | kind | things in the singular; without a group they hang below the department.
_SHELVES = """
Home|Kitchen|cookware|Bread Knife, Chef's Knife, Kitchen Grater, Whisk, Mixing Bowl
Home|Cookware|cookware|Frying Pan, Saucepan, Casserole, Wok, Roasting Tin
Home|Baking|cookware|Loaf Tin, Cake Tin, Baking Tray, Rolling Pin, Muffin Tray
Home|Tableware|tableware|Dinner Plate, Soup Bowl, Serving Platter, Egg Cup, Butter Dish
Home|Glasses|tableware|Water Glass, Wine Glass, Champagne Flute, Carafe, Tumbler
Home|Coffee & Tea|tableware|Teapot, Coffee Mug, Espresso Cup, Milk Jug, Sugar Bowl
Home|Bedding|textile|Duvet Cover, Pillowcase, Fitted Sheet, Bedspread, Wool Blanket
Home|Bathroom|textile|Bath Towel, Guest Towel, Bath Mat, Shower Curtain, Washcloth
Home|Living|textile|Cushion Cover, Throw, Rug, Curtain, Table Runner
Home|Lighting|electric|Table Lamp, Floor Lamp, Pendant Light, Wall Light, Reading Lamp
Home|Appliances|electric|Kettle, Toaster, Hand Blender, Coffee Grinder, Waffle Iron
Furniture|Living Room|furniture|Coffee Table, Armchair, Sideboard, Bookcase, Footstool
Furniture|Bedroom|furniture|Bed Frame, Bedside Table, Wardrobe, Chest of Drawers*, Dressing Table
Furniture|Dining Room|furniture|Dining Table, Dining Chair, Bench, Bar Stool, Display Cabinet
Furniture|Hallway|furniture|Coat Rack, Shoe Cabinet, Console Table, Umbrella Stand, Wall Mirror
Furniture|Home Office|furniture|Desk, Office Chair, Filing Cabinet, Wall Shelf, Monitor Stand
Garden|Tools|garden|Spade, Garden Fork, Hand Trowel, Rake, Pruning Saw
Garden|Watering|garden|Watering Can, Garden Hose, Sprinkler, Water Butt, Spray Bottle
Garden|Planting|garden|Flower Pot, Balcony Planter, Seed Tray, Raised Bed, Plant Trellis
Garden|Outdoor Living|furniture|Garden Chair, Garden Table, Sun Lounger, Parasol, Hammock
Garden|Barbecue|cookware|Charcoal Grill, Barbecue Tongs, Grill Basket, Pizza Stone, Fire Bowl
Garden|Wildlife|garden|Bird Feeder, Nesting Box, Insect Hotel, Hedgehog House, Bird Bath
Electronics|Audio|electric|Headphones, Earbuds, Bluetooth Speaker, Turntable, Soundbar
Electronics|Computers|screen|Laptop, Tablet, Monitor, E-Reader, Drawing Tablet
Electronics|Computer Accessories|electric|Keyboard, Webcam, USB Hub, Docking Station, External Drive
Electronics|Phones|electric|Phone Charger, Power Bank, Phone Stand, Charging Cable, Car Holder
Electronics|Cameras|electric|Compact Camera, Action Camera, Tripod, Camera Flash, Memory Card
Electronics|Smart Home|electric|Thermostat, Smart Plug, Door Sensor, Video Doorbell, Motion Detector
Electronics|Television|screen|Television, Projector, Portable Screen, Digital Photo Frame, Media Display
Clothing|Women|apparel|Blouse, Summer Dress, Cardigan, Pleated Skirt, Trench Coat
Clothing|Men|apparel|Oxford Shirt, Polo Shirt, Chinos, Waistcoat, Parka
Clothing|Children|apparel|Romper, Dungarees, Hooded Jumper, Rain Jacket, Leggings
Clothing|Knitwear|apparel|Roll-Neck Jumper, Knitted Vest, Poncho, Cable Jumper, Twinset
Clothing|Nightwear|apparel|Pyjamas, Nightshirt, Dressing Gown, Bed Socks, Sleep Shorts
Clothing|Underwear|apparel|Undershirt, Boxer Shorts, Tights, Ankle Socks, Camisole
Clothing|Accessories|apparel|Scarf, Beanie, Gloves, Sun Hat, Headband
Shoes||leather|Ankle Boot, Trainer, Loafer, Sandal, Wellington Boot
Shoes|Women|leather|Ballet Flat, Court Shoe, Chelsea Boot, Espadrille, Mary Jane
Shoes|Men|leather|Brogue, Derby Shoe, Desert Boot, Boat Shoe, Work Boot
Shoes|Children|leather|First Walker, School Shoe, Gym Shoe, Snow Boot, House Slipper
Bags||bag|Backpack, Tote Bag, Shoulder Bag, Belt Bag, Shopping Bag
Bags|Travel|bag|Suitcase, Weekender, Garment Bag, Toiletry Bag, Packing Cube
Bags|Work|bag|Briefcase, Laptop Sleeve, Messenger Bag, Document Case, Lunch Bag
Bags|Small Leather Goods|bag|Wallet, Card Holder, Coin Purse, Key Case, Glasses Case
Sports|Fitness|sport|Yoga Mat, Dumbbell, Kettlebell, Resistance Band, Skipping Rope
Sports|Ball Games|sport|Football, Basketball, Volleyball, Handball, Rugby Ball
Sports|Racket Sports|sport|Tennis Racket, Badminton Racket, Squash Racket, Table Tennis Bat, Shuttlecock
Sports|Swimming|sport|Swimming Goggles, Kickboard, Swim Cap, Snorkel, Diving Fins
Sports|Winter|sport|Ski Pole, Snowboard, Sledge, Ice Skates, Ski Helmet
Sports|Running|apparel|Running Shirt, Running Shorts, Running Vest, Arm Warmers, Running Jacket
Outdoor|Camping|sport|Tent, Sleeping Bag, Camping Mat, Camping Chair, Camping Stove
Outdoor|Hiking|sport|Trekking Pole, Head Torch, Compass, Water Bottle, Hydration Pack
Outdoor|Climbing|sport|Climbing Harness, Carabiner, Chalk Bag, Climbing Rope, Belay Device
Outdoor|Fishing|sport|Fishing Rod, Fishing Reel, Tackle Box, Landing Net, Float Set
Outdoor|Clothing|apparel|Softshell Jacket, Hiking Trousers, Base Layer, Rain Poncho, Fleece Jacket
Cycling|Parts|sport|Saddle, Handlebar, Bicycle Chain, Brake Lever, Pedal Set
Cycling|Wheels|sport|Front Wheel, Rear Wheel, Tyre, Inner Tube, Mudguard
Cycling|Accessories|sport|Bicycle Lock, Bicycle Bell, Bicycle Pump, Bottle Cage, Child Seat
Cycling|Lights|electric|Front Light, Rear Light, Light Set, Spoke Light, Helmet Light
Toys||toy|Jigsaw Puzzle, Board Game, Card Game, Kite, Spinning Top
Toys|Wooden Toys|toy|Building Blocks, Marble Run, Pull-Along Duck, Stacking Tower, Shape Sorter
Toys|Soft Toys|toy|Teddy Bear, Plush Rabbit, Hand Puppet, Rag Doll, Plush Elephant
Toys|Vehicles|toy|Toy Train, Fire Engine, Tractor, Racing Car, Sailing Boat
Toys|Pretend Play|toy|Toy Kitchen, Doctor's Case, Toy Till, Dolls' House, Tool Bench
Toys|Outdoor Toys|toy|Sand Bucket, Swing, Balance Bike, Skipping Game, Bubble Wand
Baby|Nursery|furniture|Cot, Changing Table, Toy Chest, High Chair, Baby Wardrobe
Baby|Feeding|tableware|Feeding Bowl, Baby Spoon, Sippy Cup, Baby Bottle, Snack Box
Baby|Sleeping|textile|Baby Sleeping Bag, Swaddle, Muslin Cloth, Cot Sheet, Baby Blanket
Baby|Play|toy|Rattle, Teething Ring, Play Mat, Baby Mobile, Grasping Ball
Beauty|Face|care|Face Cream, Cleansing Milk*, Toner, Eye Cream, Face Mask
Beauty|Body|care|Body Lotion, Shower Gel, Body Scrub, Hand Cream, Massage Oil
Beauty|Hair|care|Shampoo, Conditioner, Hair Mask, Styling Cream, Hair Oil
Beauty|Make-up|care|Lip Balm, Mascara, Tinted Cream, Lipstick, Primer
Beauty|Shaving|care|Shaving Cream, Aftershave Balm, Beard Oil, Shaving Soap, Beard Balm
Health||care|Muscle Balm, Bath Salts, Foot Balm, Cooling Gel, Cold Balm
Health|Devices|electric|Blood Pressure Monitor, Fever Thermometer, Massage Gun, Heating Pad, Bathroom Scales
Pets|Dogs|bag|Dog Lead, Dog Collar, Dog Harness, Dog Coat, Treat Pouch
Pets|Cats|toy|Scratching Post, Feather Wand, Cat Tunnel, Catnip Cushion, Cat Ball
Pets|Small Animals|toy|Hamster Wheel, Rabbit Hutch, Chew Stick, Hay Rack, Guinea Pig House
Pets|Feeding|tableware|Dog Bowl, Cat Bowl, Water Fountain, Food Jar, Travel Bowl
Office||paper|Notebook, Desk Calendar, Ring Binder, Envelope, Sketchbook
Office|Writing|paper|Pencil Set, Letter Set, Drawing Pad, Journal, Composition Book
Office|Filing|paper|Document Folder, Archive Box, Magazine File, Index Card Box, Letter Tray
Office|Presents|paper|Gift Wrap*, Greeting Card, Gift Tag, Photo Album, Guest Book
Tools|Hand Tools|tool|Hammer, Screwdriver, Pliers, Adjustable Spanner, Hand Saw
Tools|Power Tools|electric|Cordless Drill, Jigsaw, Sander, Angle Grinder, Heat Gun
Tools|Measuring|tool|Tape Measure, Spirit Level, Folding Rule, Try Square, Calliper
Tools|Fixings|tool|Screw Set, Wall Plug Set, Angle Bracket, Picture Hook, Threaded Rod
Tools|Workshop|tool|Workbench Vice, Tool Box, Saw Horse, Bar Clamp, Chisel
Car|Care|care|Car Shampoo, Car Wax, Leather Balm, Glass Cleaner, Rim Cleaner
Car|Equipment|tool|Wheel Wrench, Tow Rope, Snow Chain, Jack Stand, Ice Scraper
Music|Strings|music|Violin, Acoustic Guitar, Ukulele, Cello, Mandolin
Music|Wind|music|Recorder, Transverse Flute, Clarinet, Trumpet, Harmonica
Music|Percussion|music|Snare Drum, Cajón, Glockenspiel, Tambourine, Cymbal
Music|Accessories|music|Music Stand, Metronome, Guitar Strap, Capo, Tuning Fork
Food|Breakfast|food|Muesli, Fruit Spread, Porridge*, Blossom Honey*, Nut Butter
Food|Drinks|food|Filter Coffee, Espresso Beans, Herbal Tea, Green Tea, Drinking Chocolate*
Food|Pantry|food|Tomato Sauce, Pesto, Lentil Mix, Spice Blend, Mustard
Food|Sweets|food|Dark Chocolate Bar, Nougat, Fruit Jelly, Biscuit, Crème Caramel
Crafts|Yarn & Fabric|textile|Knitting Wool*, Felt Sheet, Quilt Fabric, Embroidery Kit, Patchwork Set
"""


def _plural(noun: str) -> str:
    """The category name for a thing: "Bread Knife" → "Bread Knives"; a star marks words without a plural."""
    if noun.endswith("*") or (noun.endswith("s") and not noun.endswith("ss")):
        return noun.rstrip("*")
    if noun.endswith(("ch", "sh", "ss", "x")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("Knife", "Shelf", "Scarf")):
        return noun.rstrip("e")[:-1] + "ves"
    return noun + "s"


def _categories() -> list[tuple[str, str, Kind]]:
    found = []
    for shelf in _SHELVES.strip().splitlines():
        department, group, kind, things = shelf.split("|")
        for noun in things.split(", "):
            path = " > ".join(level for level in (department, group, _plural(noun)) if level)
            found.append((path, noun.rstrip("*"), KINDS[kind]))
    return found


CATEGORIES = _categories()
"""(category path, product noun, kind) of every category that sells something."""
