"""Words in three languages for generated texts: the words of the classes, and fillers without a class."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["english", "chinese", "arabic"]
MAX_CLASSES = 8


@dataclass(frozen=True)
class Words:
    """The words of a language.  No word is in two lists.  *joiner* stands between two words of a text."""

    class_words: tuple[str, ...]
    """The word of each class, for texts that contain the text signal."""
    joint_words: tuple[str, ...]
    """The word of each value of the joint signal's half in the text."""
    openings: tuple[str, ...]
    fillers: tuple[str, ...]
    joiner: str = " "


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = Words(
    class_words=("whale", "train", "umbrella", "piano", "rose", "castle", "apple", "kite"),
    joint_words=("north", "south", "east", "west", "spring", "summer", "autumn", "winter"),
    openings=("a picture of", "here we see", "look at", "this shows", "in front of"),
    fillers=_words(
        """window garden bottle silver morning street quiet paper bridge yellow market little stone river kitchen round
        wooden table forest mirror coffee ladder empty corner bright carpet pocket narrow candle harbour gentle blanket
        button meadow copper basket evening pepper signal marble velvet engine shadow lemon drawer pillow fabric
        heavy island tunnel needle purple saddle feather hammer orchard cotton wallet gravel ribbon"""
    ),
)
CHINESE = Words(
    class_words=("鲸鱼", "火车", "雨伞", "钢琴", "玫瑰", "城堡", "苹果", "帆船"),
    joint_words=("东", "南", "西", "北", "春", "夏", "秋", "冬"),
    openings=("照片里有", "这里是", "请看", "眼前是", "画面中有"),
    fillers=_words(
        """窗户 花园 瓶子 早晨 街道 安静 纸张 桥梁 黄色 市场 石头 河流 厨房 圆形 木头 桌子 森林 镜子 咖啡 梯子 角落 明亮
        地毯 口袋 狭窄 蜡烛 港口 温柔 毯子 纽扣 草地 篮子 夜晚 胡椒 信号 大理 影子 柠檬 抽屉 枕头 布料 沉重 岛屿 隧道
        针线 紫色 羽毛 锤子 棉布 钱包 丝带 电话 书包 眼镜 牛奶 面包 海滩 山坡 云朵 星空"""
    ),
    joiner="",
)
ARABIC = Words(
    class_words=("حوت", "قطار", "مظلة", "بيانو", "وردة", "قلعة", "تفاحة", "طائرة"),
    joint_words=("شمال", "جنوب", "شرق", "غرب", "ربيع", "صيف", "خريف", "شتاء"),
    openings=("صورة فيها", "هنا نرى", "انظر إلى", "هذا يعرض", "أمام"),
    fillers=_words(
        """نافذة حديقة زجاجة فضة صباح شارع هادئ ورق جسر أصفر سوق صغير حجر نهر مطبخ دائري خشب طاولة غابة مرآة قهوة
        سلم فارغ زاوية لامع سجادة جيب ضيق شمعة ميناء لطيف بطانية زر مرج نحاس سلة مساء فلفل إشارة رخام مخمل محرك
        ظل ليمون درج وسادة قماش ثقيل جزيرة نفق إبرة بنفسجي سرج ريشة مطرقة بستان قطن محفظة حصى شريط"""
    ),
)
WORDS: dict[Language, Words] = {"english": ENGLISH, "chinese": CHINESE, "arabic": ARABIC}
