-- AlterTable
ALTER TABLE "Installation" DROP COLUMN "queueShortSince",
ADD COLUMN     "reconciler" TEXT,
ADD COLUMN     "reconcilerUntil" TIMESTAMPTZ(3);
